//! A layer for the ATT&CK Navigator, version 4.5 of its format.

use serde::Serialize;

use super::catalogue::Catalogue;

/// A layer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layer {
    name: &'static str,
    versions: Versions,
    domain: &'static str,
    description: &'static str,
    /// By score, the highest first.
    sorting: u8,
    layout: Layout,
    gradient: Gradient,
    techniques: Vec<Technique>,
}

#[derive(Serialize)]
struct Versions {
    attack: &'static str,
    /// The least that reads the format.
    navigator: &'static str,
    layer: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Layout {
    /// Sub-techniques are shown where the layer has some.
    expanded_subtechniques: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gradient {
    colors: [&'static str; 2],
    min_value: usize,
    max_value: usize,
}

#[derive(Serialize)]
struct Technique {
    #[serde(rename = "techniqueID")]
    id: String,
    tactic: &'static str,
    /// How many rules have it.
    score: usize,
    /// Their names.
    comment: String,
}

/// The layer of the rules that alert.
pub(super) fn layer(catalogue: &Catalogue<'_>) -> Layer {
    let techniques: Vec<Technique> = catalogue
        .attack
        .tactics
        .iter()
        .flat_map(|tactic| {
            tactic.techniques.iter().map(|(id, rules)| Technique {
                id: id.clone(),
                tactic: tactic.tactic,
                score: rules.len(),
                comment: rules.join(", "),
            })
        })
        .collect();
    let most = techniques.iter().map(|technique| technique.score).max().unwrap_or_default();
    Layer {
        name: "vaultwatch",
        versions: Versions { attack: catalogue.attack.version, navigator: "4.9.0", layer: "4.5" },
        domain: "enterprise-attack",
        description: "How many rules of vaultwatch alert on each technique, in HashiCorp Vault's audit log",
        sorting: 3,
        layout: Layout { expanded_subtechniques: "annotated" },
        // The upper bound must lie above the lower one.
        gradient: Gradient { colors: ["#ffffff", "#66b1ff"], min_value: 0, max_value: most.max(1) },
        techniques,
    }
}
