//! The server: accepts connections under limits, and drains them when it is told to stop.

mod descriptors;
mod discovery;
mod document;
mod health;
mod http;
mod limits;
mod meters;
mod openapi;
mod source;

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use enroll_endpoint::Source;
use enroll_oauth_types::ServerMetadata;
use enroll_registration::Registrar;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_http::add_extension::AddExtension;

use crate::authorization::Authorization;
use crate::config::Limits;
use crate::service::Store;
use limits::Sources;

/// How long to wait when no connection can be accepted, for lack of file descriptors most likely.
const BREATH: Duration = Duration::from_millis(100);

/// The longest header of a request, in bytes: room for long tokens, not more.
const LARGEST_HEADER: usize = 64 * 1024;

/// Every route of what this process does, with what holds for all of them.
pub(crate) fn app(
    registrar: Option<Registrar>,
    authorization: Option<&Authorization>,
    metadata: &ServerMetadata,
    issuer: &str,
    store: Store,
    metrics: PrometheusHandle,
    limits: &Limits,
) -> Router {
    let description = registrar.as_ref().map(Registrar::description).unwrap_or_default();
    let routes = registrar
        .map(Registrar::router)
        .unwrap_or_default()
        .merge(openapi::router(description, issuer))
        .merge(authorization.map(|own| own.router(issuer)).unwrap_or_default())
        .merge(discovery::router(metadata, issuer))
        .merge(health::router(store, authorization.map(|own| own.records.clone()), metrics))
        .fallback(http::not_found);
    http::around(routes, limits)
}

/// Serves until `stop` is done, then gives the requests in flight their time to end.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: &Limits,
    stop: impl Future<Output = ()>,
) {
    let limits = &descriptors::within_reach(limits);
    let room = Arc::new(Semaphore::new(limits.connections));
    let sources = Sources::new(limits.connections_per_source, &limits.trusted_proxies);
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let room = room.clone().acquire_owned().await.expect("the semaphore is never closed");
            listener.accept().await.map(|connection| (connection, room))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok(((stream, address), room)) => match sources.enter(address.ip()) {
                Some(source) => {
                    let connection = connection(stream, address.ip(), app.clone(), limits);
                    let connection = connections.watch(connection);
                    tokio::spawn(async move {
                        // A client that breaks off or is too slow is no event.
                        let _ended = connection.await;
                        drop((room, source));
                    });
                }
                None => limits::turn_away(&stream),
            },
            Err(error) => {
                tracing::warn!("no connection could be accepted: {error}");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_timeout(), connections.shutdown()).await.is_err() {
        tracing::warn!("some requests were still in flight after {:?}", limits.shutdown_timeout());
    }
}

type Connection = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<AddExtension<Router, Source>>>;

fn connection(stream: TcpStream, source: IpAddr, app: Router, limits: &Limits) -> Connection {
    // An answer is one small write; waiting for more of it only costs time.
    let _best_effort = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout())
        .max_buf_size(LARGEST_HEADER)
        .serve_connection(
            TokioIo::new(stream),
            TowerToHyperService::new(AddExtension::new(app, Source(source))),
        )
}
