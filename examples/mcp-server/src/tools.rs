//! What the server can do: an example of a tool, and one that knows who calls.

use enroll::access::Caller;
use http::request::Parts;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{schemars, tool, tool_router};

#[derive(Clone)]
pub(crate) struct Tools;

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Numbers {
    a: i64,
    b: i64,
}

#[tool_router(server_handler)]
impl Tools {
    #[tool(description = "Adds two numbers")]
    fn add(Parameters(Numbers { a, b }): Parameters<Numbers>) -> String {
        a.checked_add(b).map_or_else(|| "more than fits".to_owned(), |sum| sum.to_string())
    }

    #[tool(description = "Says for whom, and through which client, the tool is called")]
    fn whoami(Extension(parts): Extension<Parts>) -> String {
        let caller = parts.extensions.get::<Caller>();
        let text = |claim: &str| {
            caller.and_then(|caller| caller.claims.get(claim)?.as_str()).unwrap_or("nobody").to_owned()
        };
        format!("{} through {}", text("sub"), text("client_id"))
    }
}
