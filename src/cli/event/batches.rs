//! Everything that a user named, in batches: all lines of a log, or all log events of a payload, unless one is named by
//! its number.

use std::io::{BufRead, Read};
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::{EventArg, EventError, LONGEST, Place, may_be_payload};
use crate::cli::failure::Failure;
use crate::cli::lines::{LineReader, Pace};
use crate::cli::{pack, scan};
use crate::payload::{
    self, DEFAULT_MAX_INFLATED, Limits, LogBatch, LogEvent, LogStream, LogText, Message, PayloadError, Position,
};

impl EventArg {
    /// What to call all of it: `audit.log`, `audit.log:12`.
    pub(in crate::cli) fn name(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }

    /// Hands on all events, in their order. Each stands at its line, or at its number in the payload.
    pub(in crate::cli) fn each_batch(
        &self,
        stdin: &mut dyn Read,
        take: &mut dyn FnMut(&LogBatch<'_>),
    ) -> Result<(), Failure> {
        let place = Place::of(&self.0);
        if place.number.is_some() || place.shipped().is_some() {
            let named = self.read(stdin)?;
            take(&place.batch(&[LogText::Plain(&named.text)], place.number.unwrap_or(1)));
            return Ok(());
        }
        let mut reader = place.open(stdin)?;
        let head = reader.fill_buf().map_err(|error| place.failed(error))?;
        if !may_be_payload(head) && !is_laid_out(head) {
            return place.each_chunk(reader, take);
        }
        let mut bytes = Vec::new();
        reader.by_ref().take(LONGEST).read_to_end(&mut bytes).map_err(|error| place.failed(error))?;
        match payload::inflate(&bytes, Limits { max_inflated: DEFAULT_MAX_INFLATED }) {
            Ok(inflated) => {
                place.each_log_event(&payload::read(&inflated).map_err(|error| place.refused(error))?, take)
            }
            Err(PayloadError::NotSubscription(_)) if serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() => {
                take(&place.batch(&[LogText::Plain(&String::from_utf8_lossy(&bytes))], 1));
                Ok(())
            }
            Err(PayloadError::NotSubscription(_)) => place.each_chunk(bytes.as_slice().chain(reader), take),
            Err(error) => Err(place.refused(error)),
        }
    }
}

impl Place {
    fn each_chunk(&self, reader: impl BufRead, take: &mut dyn FnMut(&LogBatch<'_>)) -> Result<(), Failure> {
        let file: Arc<str> = self.input.to_string().into();
        let mut lines = LineReader::new(reader, Pace::Full);
        let mut about = None;
        let mut is_empty = true;
        while let Some(chunk) = lines.next_chunk().map_err(|error| self.failed(error))? {
            about = chunk.lines().find_map(|(_, text)| pack::time_of(text?)).or(about);
            let batch = scan::batch(chunk, &file, about);
            is_empty &= batch.events.is_empty();
            take(&batch);
        }
        if is_empty { Err(EventError::Empty { name: self.input.to_string() }.into()) } else { Ok(()) }
    }

    fn each_log_event(&self, message: &Message<'_>, take: &mut dyn FnMut(&LogBatch<'_>)) -> Result<(), Failure> {
        match message {
            Message::Data(batch) if !batch.events.is_empty() => {
                let texts: Vec<LogText<'_>> = batch.events.iter().map(|event| event.text).collect();
                take(&self.batch(&texts, 1));
                Ok(())
            }
            Message::Data(_) | Message::Control => Err(EventError::Empty { name: self.input.to_string() }.into()),
        }
    }

    /// Texts that are numbered from `first` on.
    fn batch<'t>(&self, texts: &[LogText<'t>], first: u64) -> LogBatch<'t> {
        let file: Arc<str> = self.input.to_string().into();
        let event = |(line, text): (u64, &LogText<'t>)| LogEvent {
            position: Position::Line { file: Arc::clone(&file), line },
            timestamp: None,
            text: *text,
        };
        LogBatch {
            stream: LogStream::default(),
            subscription_filters: Vec::new(),
            events: (first..).zip(texts).map(event).collect(),
        }
    }
}

/// Whether it starts like one JSON object on several lines.
fn is_laid_out(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.next() == Some(b"{")
}
