//! The environment, read once -> [`Config`].

use std::path::PathBuf;
use std::{env, fmt};

use tracing_subscriber::filter::Targets;

use crate::correlate::HashKey;
use crate::payload::{DEFAULT_MAX_INFLATED, Limits};
use crate::rule::Level;

/// Where the layer with the rules is mounted.
const DEFAULT_RULES: &str = "/opt/rules";

/// What is logged unless the environment says otherwise.
pub const DEFAULT_LOG_FILTER: &str = "info";

/// What the environment decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `VAULTWATCH_TOPIC_ARN`: where alerts are published.
    pub topic: TopicArn,
    /// `VAULTWATCH_RULES`: the rules, a directory or one file; `/opt/rules` by default.
    pub rules: PathBuf,
    /// `VAULTWATCH_PROFILE`: the profile of the rules that is in force. Without it, the one that they choose themselves.
    pub profile: Option<String>,
    /// `VAULTWATCH_MAX_INFLATED_BYTES`: what a payload may cost.
    pub limits: Limits,
    /// `VAULTWATCH_MIN_LEVEL`: alerts below it are counted, and not published; `informational` by default.
    pub min_level: Level,
    /// `VAULTWATCH_DISABLED_RULES`: the ids or names of rules that are not run, separated by commas.
    pub disabled_rules: Vec<String>,
    /// `VAULTWATCH_TABLE`: the table that windows are kept in. Without it they live as long as the process.
    pub table: Option<String>,
    /// `VAULTWATCH_HASH_KEY`: what values are hashed with before they are kept where they are only compared.
    pub hash_key: HashKey,
    /// `VAULTWATCH_LOG`: which log lines are written, a filter of `tracing`; `info` by default.
    pub log_filter: String,
    /// `AWS_REGION`: where the log group is. Without it alerts have no links into the console.
    pub region: Option<String>,
}

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, at once.
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
        Self::from_lookup(|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads the environment that `lookup` knows. An empty variable counts as absent.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, at once.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { lookup, problems: Vec::new() };
        let topic = reader.read(&TOPIC, TopicArn::parse);
        let rules = reader.read(&RULES, |path| Some(path.into())).unwrap_or_else(|| DEFAULT_RULES.into());
        let profile = reader.read(&PROFILE, profile);
        let max_inflated = reader.read(&MAX_INFLATED, positive).unwrap_or(DEFAULT_MAX_INFLATED);
        let min_level = reader.read(&MIN_LEVEL, Level::named).unwrap_or(Level::Informational);
        let disabled_rules = reader.read(&DISABLED_RULES, names).unwrap_or_default();
        let table = reader.read(&TABLE, table);
        let hash_key = reader.read(&HASH_KEY, |key| Some(HashKey::new(key))).unwrap_or_default();
        let log_filter = reader.read(&LOG, log_filter).unwrap_or_else(|| DEFAULT_LOG_FILTER.to_owned());
        let region = reader.read(&REGION, region);
        match (topic, reader.problems) {
            (Some(topic), problems) if problems.is_empty() => {
                let limits = Limits { max_inflated };
                Ok(Self {
                    topic,
                    rules,
                    profile,
                    limits,
                    min_level,
                    disabled_rules,
                    table,
                    hash_key,
                    log_filter,
                    region,
                })
            }
            (_, problems) => Err(ConfigError { problems }),
        }
    }
}

/// Whether this process runs in Lambda, or in something that takes its place.
#[must_use]
pub fn is_in_lambda() -> bool {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
}

/// What is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(problems))]
pub struct ConfigError {
    /// In a fixed order of the variables; never empty.
    pub problems: Vec<Problem>,
}

/// What is wrong with one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub variable: &'static str,
    /// Its value, if it has one.
    pub found: Option<String>,
    /// What it must be.
    pub expected: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(found) => write!(formatter, "`{}` is `{found}`, but must be {}", self.variable, self.expected),
            None => write!(formatter, "`{}` is not set, but must be {}", self.variable, self.expected),
        }
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}

/// The ARN of a standard SNS topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicArn {
    arn: String,
    region: String,
}

impl TopicArn {
    /// Reads `arn:<partition>:sns:<region>:<account>:<name>`. A FIFO topic is none of ours: it delivers to queues only.
    #[must_use]
    pub fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let &["arn", partition, "sns", region, account, name] = parts.as_slice() else { return None };
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let is_arn = partition.starts_with("aws")
            && is_region(region)
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && (1..=256).contains(&name.len())
            && [partition, name].into_iter().all(is_word);
        is_arn.then(|| Self { arn: arn.to_owned(), region: region.to_owned() })
    }

    /// The ARN itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.arn
    }

    /// The region of the topic, where it must be published to.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// A variable, and what it must be.
struct Variable {
    name: &'static str,
    expected: &'static str,
    required: bool,
}

const TOPIC: Variable = Variable {
    name: "VAULTWATCH_TOPIC_ARN",
    expected: "the ARN of a standard SNS topic, `arn:aws:sns:<region>:<account>:<name>`",
    required: true,
};
const RULES: Variable =
    Variable { name: "VAULTWATCH_RULES", expected: "a directory of rules or one rule file", required: false };
const PROFILE: Variable =
    Variable { name: "VAULTWATCH_PROFILE", expected: "the name of a profile of the rules", required: false };
const MAX_INFLATED: Variable =
    Variable { name: "VAULTWATCH_MAX_INFLATED_BYTES", expected: "a number of bytes above 0", required: false };
const MIN_LEVEL: Variable = Variable {
    name: "VAULTWATCH_MIN_LEVEL",
    expected: "`informational`, `low`, `medium`, `high` or `critical`",
    required: false,
};
const DISABLED_RULES: Variable = Variable {
    name: "VAULTWATCH_DISABLED_RULES",
    expected: "ids or names of rules, separated by commas",
    required: false,
};
const TABLE: Variable =
    Variable { name: "VAULTWATCH_TABLE", expected: "the name of a table of DynamoDB", required: false };
const HASH_KEY: Variable = Variable { name: "VAULTWATCH_HASH_KEY", expected: "any text", required: false };
const LOG: Variable = Variable {
    name: "VAULTWATCH_LOG",
    expected: "a level (`error`, `warn`, `info`, `debug`, `trace`) or a filter like `info,vaultwatch=debug`",
    required: false,
};
const REGION: Variable = Variable { name: "AWS_REGION", expected: "a region like `eu-central-1`", required: false };

/// Reads variable after variable and collects what is wrong.
struct Reader<L> {
    lookup: L,
    problems: Vec<Problem>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn read<T>(&mut self, variable: &Variable, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let found = (self.lookup)(variable.name).filter(|value| !value.is_empty());
        let value = found.as_deref().and_then(parse);
        if value.is_none() && (found.is_some() || variable.required) {
            self.problems.push(Problem { variable: variable.name, found, expected: variable.expected });
        }
        value
    }
}

/// Whether there is such a profile, only the rules know.
fn profile(text: &str) -> Option<String> {
    (!text.contains(char::is_whitespace)).then(|| text.to_owned())
}

fn positive(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&number| number > 0)
}

fn names(text: &str) -> Option<Vec<String>> {
    // A comma at the end ends nothing.
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let are_names = !names.iter().any(|name| name.contains(char::is_whitespace));
    are_names.then(|| names.into_iter().map(str::to_owned).collect())
}

fn table(text: &str) -> Option<String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((3..=255).contains(&text.len()) && text.bytes().all(is_name)).then(|| text.to_owned())
}

fn log_filter(text: &str) -> Option<String> {
    text.parse::<Targets>().ok().map(|_| text.to_owned())
}

fn region(text: &str) -> Option<String> {
    is_region(text).then(|| text.to_owned())
}

/// A region becomes part of host names.
fn is_region(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.len() <= 32 && text.contains('-') && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:eu-central-1:123456789012:alerts";

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Config::from_lookup(lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn a_topic_is_enough() {
        let config = read(&[("VAULTWATCH_TOPIC_ARN", ARN), ("VAULTWATCH_RULES", "")]).unwrap();
        assert_eq!(config.topic.as_str(), ARN);
        assert_eq!(config.topic.region(), "eu-central-1");
        assert_eq!(config.rules, PathBuf::from("/opt/rules"));
        assert_eq!(config.profile, None);
        assert_eq!(config.limits.max_inflated, DEFAULT_MAX_INFLATED);
        assert_eq!(config.min_level, Level::Informational);
        assert_eq!(config.disabled_rules, [""; 0]);
        assert_eq!(config.table, None);
        assert_eq!(config.hash_key, HashKey::default());
        assert_eq!(config.log_filter, "info");
        assert_eq!(config.region, None);
    }

    #[test]
    fn everything_can_be_said() {
        let config = read(&[
            ("VAULTWATCH_TOPIC_ARN", "arn:aws-cn:sns:cn-north-1:123456789012:a_B-9"),
            ("VAULTWATCH_RULES", "./rules"),
            ("VAULTWATCH_PROFILE", "self-managed"),
            ("VAULTWATCH_MAX_INFLATED_BYTES", "1048576"),
            ("VAULTWATCH_MIN_LEVEL", "high"),
            ("VAULTWATCH_DISABLED_RULES", "raft_snapshot_taken, 6f1d7a52-3b0e-4c1a-9a53-1d2c5b8e9f01,"),
            ("VAULTWATCH_TABLE", "vaultwatch-Table.1_a"),
            ("VAULTWATCH_HASH_KEY", "a key that nobody guesses"),
            ("VAULTWATCH_LOG", "warn,vaultwatch=debug"),
            ("AWS_REGION", "cn-north-1"),
        ])
        .unwrap();
        assert_eq!(config.rules, PathBuf::from("./rules"));
        assert_eq!(config.profile.as_deref(), Some("self-managed"));
        assert_eq!(config.limits.max_inflated, 1 << 20);
        assert_eq!(config.min_level, Level::High);
        assert_eq!(config.disabled_rules, ["raft_snapshot_taken", "6f1d7a52-3b0e-4c1a-9a53-1d2c5b8e9f01"]);
        assert_eq!(config.table.as_deref(), Some("vaultwatch-Table.1_a"));
        assert_eq!(config.hash_key, HashKey::new("a key that nobody guesses"));
        assert_eq!(format!("{:?}", config.hash_key), "HashKey");
        assert!(!format!("{config:?}").contains("guesses"));
        assert_eq!(config.log_filter, "warn,vaultwatch=debug");
        assert_eq!(config.region.as_deref(), Some("cn-north-1"));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let error = read(&[
            ("VAULTWATCH_PROFILE", "self managed"),
            ("VAULTWATCH_MAX_INFLATED_BYTES", "64 MiB"),
            ("VAULTWATCH_MIN_LEVEL", "HIGH"),
            ("VAULTWATCH_DISABLED_RULES", "one rule; another"),
            ("VAULTWATCH_TABLE", "arn:aws:dynamodb:eu-central-1:123456789012:table/windows"),
            ("VAULTWATCH_LOG", "vaultwatch=loud"),
            ("AWS_REGION", "evil.example/"),
        ])
        .unwrap_err();
        insta::assert_snapshot!(error.replace("; `", "\n`"), @r"
        `VAULTWATCH_TOPIC_ARN` is not set, but must be the ARN of a standard SNS topic, `arn:aws:sns:<region>:<account>:<name>`
        `VAULTWATCH_PROFILE` is `self managed`, but must be the name of a profile of the rules
        `VAULTWATCH_MAX_INFLATED_BYTES` is `64 MiB`, but must be a number of bytes above 0
        `VAULTWATCH_MIN_LEVEL` is `HIGH`, but must be `informational`, `low`, `medium`, `high` or `critical`
        `VAULTWATCH_DISABLED_RULES` is `one rule; another`, but must be ids or names of rules, separated by commas
        `VAULTWATCH_TABLE` is `arn:aws:dynamodb:eu-central-1:123456789012:table/windows`, but must be the name of a table of DynamoDB
        `VAULTWATCH_LOG` is `vaultwatch=loud`, but must be a level (`error`, `warn`, `info`, `debug`, `trace`) or a filter like `info,vaultwatch=debug`
        `AWS_REGION` is `evil.example/`, but must be a region like `eu-central-1`
        ");
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        for arn in [
            "alerts",
            "arn:aws:sqs:eu-central-1:123456789012:alerts",
            "arn:aws:sns:eu-central-1:123456789012:alerts.fifo",
            "arn:aws:sns:eu-central-1:123456789012:alerts:0b5c1f2e",
            "arn:aws:sns:eu-central-1:12345:alerts",
            "arn:aws:sns::123456789012:alerts",
            "arn:aws:sns:eu.example:123456789012:alerts",
            "arn:aws:sns:eu-central-1:123456789012:",
            "arn:evil:sns:eu-central-1:123456789012:alerts",
        ] {
            assert_eq!(TopicArn::parse(arn), None, "{arn}");
        }
    }
}
