//! What came of a run, and how each result is put into words.

use crate::alert::Redactor;
use crate::alert::text::visible;
use crate::audit::{self, Buffers};
use crate::cli::explain::tree::{self, Look};
use crate::cli::explain::window;
use crate::cli::render;
use crate::detect::RuleSet;
use crate::diagnostic::{Sources, Span};
use crate::rule::{Header, Rule};
use crate::rule_test::mutant::{Mutant, Mutation};
use crate::rule_test::{BuildError, Failure, Mismatch, TestRun, Tested};

/// Everything that a run found out.
pub(super) struct Report<'r> {
    pub(super) sources: &'r Sources,
    /// In the order of the rules, correlation rules last.
    pub(super) runs: Vec<TestRun<'r>>,
    pub(super) untested: Vec<&'r Header>,
    /// If asked for.
    pub(super) mutated: Option<Mutated<'r>>,
}

/// What the tests made of mutants.
#[derive(Default)]
pub(super) struct Mutated<'r> {
    pub(super) mutations: Vec<(&'r Header, Mutation)>,
    /// How many rules were left out because a test of theirs fails.
    pub(super) failing: usize,
}

impl<'r> Report<'r> {
    pub(super) fn new(sources: &'r Sources) -> Self {
        Self { sources, runs: Vec::new(), untested: Vec::new(), mutated: None }
    }

    /// Whether there is nothing to mend.
    pub(super) fn is_clean(&self) -> bool {
        self.failed() == 0 && self.mutated.as_ref().is_none_or(|mutated| mutated.unnoticed() == 0)
    }

    pub(super) fn failed(&self) -> usize {
        self.runs.iter().filter(|run| !run.passed()).count()
    }

    /// `rules/policy_written.yml:24`
    pub(super) fn place(&self, span: &Span) -> String {
        let (file, line) = self.sources.place(span);
        format!("{}:{line}", visible(file))
    }
}

impl Mutated<'_> {
    pub(super) fn tried(&self) -> usize {
        self.mutations.iter().map(|(_, mutation)| mutation.tried).sum()
    }

    pub(super) fn left_out(&self) -> usize {
        self.mutations.iter().map(|(_, mutation)| mutation.left_out).sum()
    }

    pub(super) fn unnoticed(&self) -> usize {
        self.survivors().count()
    }

    /// The mutants that no test noticed, each with its rule.
    pub(super) fn survivors(&self) -> impl Iterator<Item = (&Header, &Mutant)> {
        let of = self.mutations.iter();
        of.flat_map(|(header, mutation)| mutation.unnoticed.iter().map(move |mutant| (*header, mutant)))
    }
}

/// A failure in words: what is wrong, and why it is so.
pub(super) struct Told {
    pub(super) message: String,
    pub(super) why: Vec<String>,
}

impl Told {
    fn plain(message: String) -> Self {
        Self { message, why: Vec::new() }
    }
}

/// How many events of one test are told of: the rest is mostly the same.
const MOST_EVENTS: usize = 3;

/// All that is wrong with a test.
pub(super) fn tell(run: &TestRun<'_>, look: Look) -> Vec<Told> {
    let mut told: Vec<Told> =
        run.failures.iter().take(MOST_EVENTS).flat_map(|failure| tell_one(run.tested, failure, look)).collect();
    // Repetitions mostly fail alike.
    let reasons: Vec<Vec<String>> = told.iter().map(|told| told.why.clone()).collect();
    for (told, before) in told.iter_mut().skip(1).zip(&reasons) {
        if !before.is_empty() && told.why == *before {
            told.why = vec!["for the same reason".to_owned()];
        }
    }
    let more = run.failures.len().saturating_sub(MOST_EVENTS);
    if more > 0 {
        told.push(Told::plain(format!("and {} more", render::counted(more, "event", "events"))));
    }
    told
}

fn tell_one(tested: Tested<'_>, failure: &Failure, look: Look) -> Vec<Told> {
    let (mismatches, which) = match failure {
        Failure::Build(error) => return vec![build(error)],
        Failure::Event { event, mismatches } if event.of > 1 => {
            (mismatches, format!(" (event {} of {})", event.number, event.of))
        }
        Failure::Event { mismatches, .. } | Failure::Log { mismatches, .. } => (mismatches, String::new()),
    };
    let tell = |mismatch| Told::plain(mismatched(tested, mismatch) + &which);
    let mut told: Vec<Told> = mismatches.iter().map(tell).collect();
    // Verdicts are explained, and there is nothing to say about alerts.
    let is_verdict = |mismatch: &Mismatch| !matches!(mismatch, Mismatch::Alert { .. });
    if mismatches.iter().any(is_verdict)
        && let Some(last) = told.last_mut()
    {
        last.why = explain(tested, failure, look);
    }
    told
}

fn build(error: &BuildError) -> Told {
    let why = match error {
        BuildError::UnknownEvent { nearest: Some(nearest), .. } => vec![format!("did you mean `{nearest}`?")],
        BuildError::UnknownEvent { nearest: None, .. } => vec!["`vaultwatch fields --events` lists them".to_owned()],
        BuildError::Captured { .. } | BuildError::NothingToTake(_) | BuildError::TooMany => Vec::new(),
    };
    Told { message: visible(&error.to_string()).into_owned(), why }
}

fn mismatched(tested: Tested<'_>, mismatch: &Mismatch) -> String {
    let verb = if matches!(tested, Tested::Rule(_)) { "match" } else { "fire" };
    match mismatch {
        Mismatch::NoMatch => format!("it should {verb}, and does not"),
        Mismatch::Match => format!("it should not {verb}, and does"),
        Mismatch::SearchDoesNotHold(name) => format!("the search `{}` should hold, and does not", visible(name)),
        Mismatch::Alert { field, expected, found } => {
            let found = match found.first() {
                Some(found) => format!("is {}", visible(&found.to_string())),
                None => "is not there".to_owned(),
            };
            let (field, expected) = (visible(field), expected.to_string());
            format!("in the alert, `{field}` should be {}, and {found}", visible(&expected))
        }
    }
}

/// What became of each part of the rule, or of each group of the correlation, a line each.
fn explain(tested: Tested<'_>, failure: &Failure, look: Look) -> Vec<String> {
    let explained = match (tested, failure) {
        (Tested::Rule(rule), Failure::Event { event, .. }) => explain_rule(rule, &event.text, look),
        (Tested::Correlation(ensemble), Failure::Log { events, .. }) => window::of_test(ensemble, events, look),
        _ => String::new(),
    };
    explained.lines().map(str::to_owned).collect()
}

fn explain_rule(rule: &Rule, event: &str, look: Look) -> String {
    let rules = RuleSet::compile(vec![rule.clone()]);
    let mut buffers = Buffers::default();
    let Ok(event) = audit::read(event, rules.fields(), &mut buffers) else { return String::new() };
    let trace = rules.rules().next().and_then(|(id, _)| rules.trace(id, &event));
    trace.map(|trace| tree::tree(&trace, &Redactor::new(&event), look)).unwrap_or_default()
}
