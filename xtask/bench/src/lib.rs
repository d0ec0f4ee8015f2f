//! What the programs of this package share.

use serde_json::{Value, json};

/// What a token of client credentials says. RFC 9068 §2.2.
pub fn claims() -> Value {
    json!({
        "iss": "http://127.0.0.1:5001",
        "sub": "01a20b81-7daa-7823-acc7-bb4d76cd1591",
        "aud": "urn:example:api",
        "client_id": "01a20b81-7daa-7823-acc7-bb4d76cd1591",
        "exp": 1_795_492_965,
        "iat": 1_795_489_365,
        "jti": "QMoztIwKtdoXgPBZh_0dkg",
        "scope": "api1",
    })
}
