//! Whatever is accepted as client metadata comes back as it was: RFC 7591 §3.2.1.
#![no_main]

use enroll_oauth_types::{ClientMetadata, ReadingRules};
use libfuzzer_sys::fuzz_target;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Known members and kept ones in one object, as a server answers that keeps unknown members.
struct Answer<'a>(&'a ClientMetadata);

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.write_members(&mut map)?;
        self.0.extensions.write_members(&mut map)?;
        map.end()
    }
}

fuzz_target!(|body: &[u8]| {
    let rules = ReadingRules::default();
    let Ok(metadata) = ClientMetadata::parse(body, &rules) else { return };
    let written = serde_json::to_vec(&Answer(&metadata)).expect("metadata is JSON");
    match ClientMetadata::parse(&written, &rules) {
        Ok(again) => assert_eq!(metadata, again),
        Err(rejection) => panic!("{rejection}: {}", String::from_utf8_lossy(&written)),
    }
});
