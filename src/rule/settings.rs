//! The file `vaultwatch.yml` among the rules: what it settles for all of them.

use super::Settings;
use super::document;
use super::metadata::{self, strict_keys};
use super::report::Report;
use super::yaml::Node;

pub(super) fn read(report: &mut Report<'_>, root: &Node<'_>) -> Settings {
    let entries = document::entries(root);
    strict_keys(report, entries, "`vaultwatch.yml`", &["fields"]);
    let fields = entries.iter().find(|entry| entry.key.text == "fields");
    Settings { fields: fields.and_then(|entry| metadata::fields(report, entry)).unwrap_or_default() }
}
