//! The shipped definitions, the user's own over them, readiness, and the plan of a launch.

use std::collections::{BTreeMap, BTreeSet};

use divisi_agent::{Definition, Facts, Layer, Readiness, Registry};

#[test]
fn every_shipped_definition_is_read_and_written_back() {
    let registry = Registry::shipped();
    assert_eq!(registry.all().len(), 17);
    for definition in registry.all() {
        let text = toml::to_string(definition).unwrap();
        assert_eq!(&toml::from_str::<Definition>(&text).unwrap(), definition, "{text}");
        if definition.name != "rehearsal" {
            assert!(definition.install.is_some() && definition.log_in.is_some(), "{}", definition.name);
        }
    }
}
