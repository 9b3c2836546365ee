//! ATT&CK in OCSF's form.

use crate::alert::Attack;
use crate::attack::{TACTICS, VERSION};

use super::detail::Cutter;
use super::document::{AttackObject, Identified};

/// One object for each technique, with the rule's tactic where there is only one. Tags do not say which technique
/// serves which of several tactics, so that these stand beside each other.
pub(super) fn attacks<'a>(tags: &'a [Attack], cut: &Cutter) -> Vec<AttackObject<'a>> {
    let tactics: Vec<AttackObject<'_>> = tags.iter().filter_map(|tag| tactic(tag, cut)).collect();
    let techniques = tags.iter().filter_map(|tag| technique(tag, cut));
    if let [only] = tactics.as_slice() {
        let paired: Vec<AttackObject<'_>> =
            techniques.map(|technique| AttackObject { tactic: only.tactic.clone(), ..technique }).collect();
        return if paired.is_empty() { tactics } else { paired };
    }
    let techniques: Vec<AttackObject<'_>> = techniques.collect();
    tactics.into_iter().chain(techniques).collect()
}

fn tactic<'a>(tag: &'a Attack, cut: &Cutter) -> Option<AttackObject<'a>> {
    let Attack::Tactic(tag) = tag else { return None };
    let tactic = match TACTICS.iter().find(|known| known.tag == tag) {
        Some(known) => Identified { uid: Some(known.id.into()), name: Some(known.name.into()) },
        None => Identified { uid: None, name: Some(cut.text(tag)) },
    };
    Some(AttackObject { tactic: Some(tactic), technique: None, sub_technique: None, version: VERSION })
}

/// `T1078.003` is a sub-technique of `T1078`.
fn technique<'a>(tag: &'a Attack, cut: &Cutter) -> Option<AttackObject<'a>> {
    let Attack::Technique(id) = tag else { return None };
    let by_id = |uid| Identified { uid: Some(cut.text(uid)), name: None };
    let parent = id.split_once('.').map(|(parent, _)| parent);
    Some(AttackObject {
        tactic: None,
        technique: Some(by_id(parent.unwrap_or(id))),
        sub_technique: parent.map(|_| by_id(id)),
        version: VERSION,
    })
}
