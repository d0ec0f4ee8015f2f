//! Where names and literal addresses may lead.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use async_trait::async_trait;
use enroll_outbound::{FetchError, Limits, Outbound, Resolve};
use enroll_testkit::WebAnswer;

use crate::{HOST, web};

/// One address at least of each network that is not public.
const NOT_PUBLIC: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200", // a cloud's metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16", // a cloud's own service
    "169.254.0.1",
    "169.254.169.254", // most clouds' metadata
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192", // a cloud's metadata
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",         // compatible
    "::808:808",        // compatible, and what is embedded is public
    "::ffff:127.0.0.1", // mapped
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",     // nobody publishes these
    "::ffff:0:127.0.0.1", // translated
    "64:ff9b::127.0.0.1", // NAT64
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "64:ff9b:1::808:808",
    "100::1",  // discard
    "2001::1", // Teredo
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1", // benchmarking
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1", // 6to4
    "2002:808:808::1",
    "3fff::1",
    "4000::1", // not handed out
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254", // a cloud's metadata
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

/// A client with the names of the web that may not connect to loopback addresses.
fn strict(web: &enroll_testkit::FakeWeb) -> Outbound {
    web.builder(Limits { per_host_per_minute: 1000, ..Limits::default() }).build().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A name for each address, since failures are remembered.
fn name(index: usize) -> String {
    format!("a{index}.example")
}

#[tokio::test]
async fn a_name_that_leads_to_no_public_address_is_refused() {
    let web = web().await;
    let outbound = strict(&web);
    for (index, address) in NOT_PUBLIC.iter().enumerate() {
        web.names().always(&name(index), &[ip(address)]);
        let error = outbound.json(&web.url(&name(index), "/")).await.unwrap_err();
        assert_eq!(error, FetchError::NotPublic, "{address}");
    }
    assert_eq!(web.connections(), 0);
}

#[tokio::test]
async fn one_address_that_is_not_public_spoils_all() {
    let web = web().await;
    let outbound = strict(&web);
    for (index, address) in NOT_PUBLIC.iter().enumerate() {
        for (order, public_first) in [true, false].into_iter().enumerate() {
            let mut addresses = vec![ip("8.8.8.8"), ip("2600::1"), ip(address)];
            if !public_first {
                addresses.reverse();
            }
            let name = name(2 * index + order);
            web.names().always(&name, &addresses);
            let error = outbound.json(&web.url(&name, "/")).await.unwrap_err();
            assert_eq!(error, FetchError::NotPublic, "{address}");
        }
    }
}

#[tokio::test]
async fn a_literal_address_is_checked_although_nobody_looks_it_up() {
    let web = web().await;
    let outbound = strict(&web);
    for address in NOT_PUBLIC {
        let literal = match ip(address) {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let error = outbound.json(&web.url(&literal, "/")).await.unwrap_err();
        assert_eq!(error, FetchError::NotPublic, "{address}");
    }
    assert_eq!(web.connections(), 0);
}

#[tokio::test]
async fn a_literal_address_is_known_in_every_spelling() {
    let spellings = [
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0x7f.1",
        "0x7f000001",
        "0X7F.0x0.0x0.0x1",
        "0",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "127。0。0。1",
        "2852039166", // 169.254.169.254
        "0xa9fea9fe",
        "169.254.43518",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]",
        "[64:ff9b::7f00:1]",
        "[64:FF9B::a9fe:a9fe]",
    ];
    let web = web().await;
    let outbound = strict(&web);
    for spelling in spellings {
        let error = outbound.json(&web.url(spelling, "/")).await.unwrap_err();
        assert_eq!(error, FetchError::NotPublic, "{spelling}");
    }
    assert_eq!(web.connections(), 0);
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let web = web().await;
    web.answer("/document", WebAnswer::json("[]"));
    let (checked, later) = ([web.address().ip()], [ip("10.0.0.1")]);
    web.names().in_turn(HOST, &[&checked, &later]);
    let outbound = web.outbound();

    let document = outbound.json(&web.url(HOST, "/document")).await.unwrap();
    assert_eq!(&document.bytes[..], b"[]");
    assert_eq!(web.names().asked(HOST), 1, "a second answer could be another");

    // The next fetch asks anew, and checks anew: no connection is left over that would save it the trouble.
    let error = outbound.json(&web.url(HOST, "/document?2")).await.unwrap_err();
    assert_eq!(error, FetchError::NotPublic);
    assert_eq!(web.names().asked(HOST), 2);
    assert_eq!(web.connections(), 1);
}

#[tokio::test]
async fn a_name_that_leads_within_and_one_that_leads_nowhere_are_told_alike() {
    let web = web().await;
    let outbound = strict(&web);
    web.names().always("within.example", &[ip("10.0.0.1")]);
    web.names().always("empty.example", &[]);
    let within = outbound.json("https://within.example/").await.unwrap_err();
    let literal = outbound.json("https://10.0.0.1/").await.unwrap_err();
    let empty = outbound.json("https://empty.example/").await.unwrap_err();
    let nowhere = outbound.json("https://nowhere.example/").await.unwrap_err();
    assert_eq!([&literal, &empty, &nowhere], [&within; 3]);
    assert_eq!(within.to_string(), "the host does not resolve to public addresses only");
}

#[tokio::test]
async fn loopback_is_reached_only_where_that_is_allowed() {
    let web = web().await;
    web.answer("/document", WebAnswer::json("[]"));
    let url = web.url(HOST, "/document");
    assert_eq!(strict(&web).json(&url).await, Err(FetchError::NotPublic));
    assert!(web.outbound().json(&url).await.is_ok());
    // What is allowed is loopback, and nothing else that is not public.
    web.names().always("within.example", &[ip("10.0.0.1")]);
    assert_eq!(web.outbound().json("https://within.example/").await, Err(FetchError::NotPublic));
    web.names().always("mixed.example", &[IpAddr::V4(Ipv4Addr::LOCALHOST), ip("192.168.0.1")]);
    assert_eq!(web.outbound().json("https://mixed.example/").await, Err(FetchError::NotPublic));
}

#[tokio::test]
async fn the_systems_resolver_is_checked_as_well() {
    let web = web().await;
    let clock = std::sync::Arc::new(enroll_testkit::StandingClock::default());
    let outbound = Outbound::builder(clock, Limits::default()).trust(web.certificate()).build().unwrap();
    assert_eq!(outbound.json(&web.url("localhost", "/")).await, Err(FetchError::NotPublic));
    assert_eq!(web.connections(), 0);
}

/// Never answers.
struct Mute;

#[async_trait]
impl Resolve for Mute {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_resolver_that_never_answers_is_given_up() {
    let web = web().await;
    let limits = Limits { total: Duration::from_millis(200), ..Limits::default() };
    let outbound = web.builder(limits).resolver(Mute).build().unwrap();
    assert_eq!(outbound.json("https://client.example/").await, Err(FetchError::Timeout));
}
