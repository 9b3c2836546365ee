//! MITRE ATT&CK, as far as tags name it: which tactics and techniques there are.

/// The version that [`TACTICS`] and the techniques are of.
pub const VERSION: &str = "19";

/// A tactic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tactic {
    /// As tags name it, behind `attack.`.
    pub tag: &'static str,
    /// ATT&CK's id.
    pub id: &'static str,
    /// ATT&CK's name.
    pub name: &'static str,
}

const fn tactic(tag: &'static str, id: &'static str, name: &'static str) -> Tactic {
    Tactic { tag, id, name }
}

/// The tactics for enterprises, in the order of the matrix.
pub const TACTICS: [Tactic; 15] = [
    tactic("reconnaissance", "TA0043", "Reconnaissance"),
    tactic("resource-development", "TA0042", "Resource Development"),
    tactic("initial-access", "TA0001", "Initial Access"),
    tactic("execution", "TA0002", "Execution"),
    tactic("persistence", "TA0003", "Persistence"),
    tactic("privilege-escalation", "TA0004", "Privilege Escalation"),
    tactic("stealth", "TA0005", "Stealth"),
    tactic("defense-impairment", "TA0112", "Defense Impairment"),
    tactic("credential-access", "TA0006", "Credential Access"),
    tactic("discovery", "TA0007", "Discovery"),
    tactic("lateral-movement", "TA0008", "Lateral Movement"),
    tactic("collection", "TA0009", "Collection"),
    tactic("command-and-control", "TA0011", "Command and Control"),
    tactic("exfiltration", "TA0010", "Exfiltration"),
    tactic("impact", "TA0040", "Impact"),
];

/// A technique a line with its sub-techniques, and `REVOKED -> REPLACEMENT`.
const TECHNIQUES: &str = include_str!("attack/enterprise-19.txt");

/// A tactic a line with its techniques.
const SERVING: &str = include_str!("attack/tactics-19.txt");

/// What there is of a technique's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is there.
    Yes,
    /// It went by another id since, this one.
    Revoked(&'static str),
    /// Nobody knows it.
    No,
}

/// Looks a technique up by its id, `T1078` or `T1078.003`.
#[must_use]
pub fn technique(id: &str) -> Known {
    let (parent, sub) = id.split_once('.').map_or((id, None), |(parent, sub)| (parent, Some(sub)));
    let listed = |line: &str| {
        let mut ids = line.split(' ');
        ids.next() == Some(parent) && sub.is_none_or(|sub| ids.any(|listed| listed == sub))
    };
    let lines = || TECHNIQUES.lines().filter(|line| !line.starts_with('#'));
    if let Some((_, replacement)) = lines().filter_map(|line| line.split_once(" -> ")).find(|(old, _)| *old == id) {
        return Known::Revoked(replacement);
    }
    if lines().any(|line| !line.contains("->") && listed(line)) { Known::Yes } else { Known::No }
}

/// Whether a technique, by its id, serves a tactic, by its tag. A technique of the former Defense Evasion serves both
/// tactics that became of it.
#[must_use]
pub fn serves(technique: &str, tactic: &str) -> bool {
    let parent = technique.split_once('.').map_or(technique, |(parent, _)| parent);
    let mut lines = SERVING.lines().map(|line| line.split(' '));
    lines.any(|mut words| words.next() == Some(tactic) && words.any(|id| id == parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_are_those_that_the_release_notes_count() {
        let lines = TECHNIQUES.lines().filter(|line| !line.starts_with('#') && !line.contains("->"));
        let counts = lines.fold((0, 0), |(all, sub), line| (all + 1, sub + line.split(' ').count() - 1));
        assert_eq!(counts, (222, 475));
    }

    #[test]
    fn a_technique_is_known_revoked_or_neither() {
        for (id, expected) in [
            ("T1078", Known::Yes),
            ("T1078.003", Known::Yes),
            ("T1078.099", Known::No),
            ("T1685.002", Known::Yes),
            ("T1562.008", Known::Revoked("T1685.002")),
            ("T1562", Known::Revoked("T1685")),
            ("T9999", Known::No),
            ("->", Known::No),
            ("#", Known::No),
            ("", Known::No),
        ] {
            assert_eq!(technique(id), expected, "{id}");
        }
    }

    #[test]
    fn every_technique_serves_a_tactic_and_only_those_that_there_are() {
        for line in TECHNIQUES.lines().filter(|line| !line.starts_with('#') && !line.contains("->")) {
            let id = line.split(' ').next().unwrap();
            assert!(TACTICS.iter().any(|tactic| serves(id, tactic.tag)), "{id}");
        }
        for line in SERVING.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let tactic = words.next().unwrap();
            assert!(TACTICS.iter().any(|known| known.tag == tactic), "{tactic}");
            assert!(words.all(|id| technique(id) == Known::Yes), "{tactic}");
        }
    }

    #[test]
    fn a_technique_serves_the_tactics_that_it_stands_under() {
        for (technique, tactic, expected) in [
            ("T1098", "persistence", true),
            ("T1098.001", "privilege-escalation", true),
            ("T1098", "defense-impairment", false),
            ("T1685.002", "defense-impairment", true),
            ("T1685.002", "stealth", false),
            ("T1078", "stealth", true),
            ("T9999", "impact", false),
            ("", "impact", false),
        ] {
            assert_eq!(serves(technique, tactic), expected, "{technique}, {tactic}");
        }
    }
}
