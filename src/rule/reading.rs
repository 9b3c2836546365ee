//! Files -> rules, each at most once.
//!
//! Value lists come first, since rules are made of them. Every file is then read by itself, several at a time, and what
//! refers to other documents is looked up when all of them are known.

use std::panic::resume_unwind;
use std::thread;

use super::correlation::links;
use super::correlation::reader::Draft;
use super::document::Kind;
use super::file::{self, Found};
use super::filter::{self, Filter};
use super::list::Lists;
use super::reference::Registry;
use super::{Reading, Rule, Settings};
use crate::diagnostic::{Diagnostic, Source, SourceId, Sources};

/// How many files are worth a thread: reading them takes several times as long as starting it.
const FILES_A_THREAD: usize = 16;

/// Reads every document of every file.
pub(super) fn read(sources: &Sources) -> Reading {
    let mut lists = Lists::default();
    let mut diagnostics: Vec<Diagnostic> =
        sources.iter().flat_map(|(id, source)| file::read_lists(id, source, &mut lists)).collect();
    let mut admitted = Admitted::default();
    for (found, problems) in read_files(sources, &lists) {
        diagnostics.extend(problems);
        for found in found {
            admitted.add(found, &mut diagnostics);
        }
    }
    let Admitted { mut rules, drafts, filters, registry, settings } = admitted;
    diagnostics.extend(filter::fold(&filters, &mut rules, &registry));
    let (correlations, problems) = links::resolve(drafts, &registry);
    diagnostics.extend(problems);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.bytes.start));
    // What an alias repeats, or a value list that several rules use, is wrong in one place only.
    diagnostics.dedup();
    Reading { rules, correlations, settings, diagnostics }
}

type FileReading = (Vec<Found>, Vec<Diagnostic>);

/// What stands in each file, in their order.
fn read_files<'s>(sources: &'s Sources, lists: &Lists<'s>) -> Vec<FileReading> {
    let files: Vec<(SourceId, &Source)> = sources.iter().collect();
    let most = thread::available_parallelism().map_or(1, usize::from);
    let threads = (files.len() / FILES_A_THREAD).clamp(1, most);
    let read = |(id, source): &(SourceId, &'s Source)| file::read(*id, source, lists);
    if threads == 1 {
        return files.iter().map(read).collect();
    }
    thread::scope(|scope| {
        let chunks = files.chunks(files.len().div_ceil(threads));
        let workers: Vec<_> =
            chunks.map(|chunk| scope.spawn(move || chunk.iter().map(read).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// What loads so far, by file and document.
#[derive(Default)]
struct Admitted {
    rules: Vec<Rule>,
    drafts: Vec<Draft>,
    filters: Vec<Filter>,
    registry: Registry,
    settings: Settings,
}

impl Admitted {
    /// Adds what was found, unless another document has its id or its name.
    fn add(&mut self, found: Found, diagnostics: &mut Vec<Diagnostic>) {
        match found {
            Found::Rule(rule) => {
                if self.registry.admit(diagnostics, Kind::Rule, &rule.header) {
                    self.rules.push(*rule);
                }
            }
            Found::Correlation(draft) => {
                if self.registry.admit(diagnostics, Kind::Correlation, &draft.correlation.header) {
                    self.drafts.push(*draft);
                }
            }
            Found::Filter(filter) => {
                if self.registry.admit(diagnostics, Kind::Filter, &filter.header) {
                    self.filters.push(*filter);
                }
            }
            Found::Settings(settings) => self.settings.fields.extend(settings.fields),
            Found::Mention(mention) => self.registry.mention(mention),
        }
    }
}
