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
use super::profile::Names;
use super::reference::Registry;
use super::settings;
use super::{Reading, Rule, UnknownProfile};
use crate::diagnostic::{Diagnostic, Source, SourceId, Sources};

/// How many files are worth a thread: reading them takes several times as long as starting it.
const FILES_A_THREAD: usize = 16;

/// Reads every document of every file.
pub(super) fn read(sources: &Sources) -> Reading {
    Unfiltered::read(sources).filtered(&Names::default())
}

/// The same, without what is not in force in a profile.
pub(super) fn read_in_force(sources: &Sources, asked: Option<&str>) -> Result<Reading, UnknownProfile> {
    let unfiltered = Unfiltered::read(sources);
    let profile = match unfiltered.reading.settings.choose(asked) {
        Ok(profile) => profile.cloned(),
        Err(unknown) => {
            let Reading { diagnostics, .. } = unfiltered.filtered(&Names::default());
            return Err(UnknownProfile { diagnostics, ..unknown });
        }
    };
    let without: Names = profile.iter().flat_map(|profile| profile.without.iter().cloned()).collect();
    let mut reading = unfiltered.filtered(&without);
    reading.take_out(&without);
    reading.profile = profile.map(|profile| profile.name);
    Ok(reading)
}

/// Everything that loads, before the filters become part of the rules.
struct Unfiltered {
    reading: Reading,
    filters: Vec<Filter>,
    registry: Registry,
}

impl Unfiltered {
    fn read(sources: &Sources) -> Self {
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
        let Admitted { rules, drafts, filters, registry, settings } = admitted;
        let (correlations, problems) = links::resolve(drafts, &registry);
        diagnostics.extend(problems);
        let settings = settings.resolve(&registry, &rules, &correlations, &mut diagnostics);
        Self { reading: Reading { rules, correlations, settings, profile: None, diagnostics }, filters, registry }
    }

    /// With the filters, but for those of these names.
    fn filtered(self, without: &Names) -> Reading {
        let Self { mut reading, filters, registry } = self;
        let diagnostics = &mut reading.diagnostics;
        diagnostics.extend(filter::fold(&filters, &mut reading.rules, &registry, without));
        diagnostics.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.bytes.start));
        // What an alias repeats, or a value list that several rules use, is wrong in one place only.
        diagnostics.dedup();
        reading
    }
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
    settings: settings::Draft,
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
            Found::Settings(settings) => self.settings.add(settings, diagnostics),
            Found::Mention(mention) => self.registry.mention(mention),
        }
    }
}
