//! The settings of a process as given: the value of each flag with a variable, and the source of the value.

use std::ffi::OsStr;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde::Serialize;
use url::Url;

use crate::printable::printable;

/// Shown in place of a secret.
const MASK: &str = "***";

/// A setting of a process. A secret is masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The environment variable, for instance `LISTEN`.
    pub variable: String,
    /// The flag, for instance `--listen`.
    pub flag: String,
    /// The value as text, on a single line. `None`: not set, and no default.
    pub value: Option<String>,
    /// The source of the value.
    pub source: Source,
}

/// The source of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A flag of the command line.
    Flag,
    /// The environment variable.
    Environment,
    /// The default.
    Default,
    /// Not set.
    Unset,
}

impl Source {
    /// The name of the source in sentences and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Default => "default",
            Self::Unset => "unset",
        }
    }
}

/// Lists the settings of `command` as `matches` holds them, in the order of the declarations.
pub fn list(command: &Command, matches: &ArgMatches) -> Vec<Setting> {
    let flags = command.get_arguments().filter_map(|arg| {
        let variable = arg.get_env()?.to_string_lossy().into_owned();
        Some((variable, arg))
    });
    let settings = flags.map(|(variable, arg)| {
        let id = arg.get_id().as_str();
        let given = matches.get_raw(id).and_then(|mut values| values.next());
        Setting {
            variable,
            flag: format!("--{}", arg.get_long().unwrap_or(id)),
            value: given.map(|value| shown(arg, value)),
            source: source(matches.value_source(id)),
        }
    });
    settings.collect()
}

fn source(source: Option<ValueSource>) -> Source {
    match source {
        Some(ValueSource::CommandLine) => Source::Flag,
        Some(ValueSource::EnvVariable) => Source::Environment,
        Some(ValueSource::DefaultValue) => Source::Default,
        // The enum of clap is open.
        Some(_) | None => Source::Unset,
    }
}

/// The value of a flag for everybody's eyes.
fn shown(arg: &Arg, value: &OsStr) -> String {
    let value = value.to_string_lossy();
    let value = value.trim();
    if arg.is_hide_env_values_set() {
        // Of a URL the user, the host and the path help an operator and are no secret.
        return masked_url(value).unwrap_or_else(|| MASK.to_owned());
    }
    printable(value)
}

/// A URL without its password. Every parameter but `sslmode` is masked: libraries take passwords there, too.
/// `None`: the text is no URL with a host.
fn masked_url(text: &str) -> Option<String> {
    let mut url: Url = text.parse().ok().filter(Url::has_host)?;
    if url.password().is_some() {
        url.set_password(Some(MASK)).ok()?;
    }
    if url.query().is_some() {
        let pairs = url.query_pairs().into_owned();
        let masked = pairs.map(|(name, value)| match name.as_str() {
            "sslmode" => (name, value),
            _ => (name, MASK.to_owned()),
        });
        let masked: Vec<(String, String)> = masked.collect();
        url.query_pairs_mut().clear().extend_pairs(masked);
    }
    url.set_fragment(None);
    Some(printable(url.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[derive(clap::Parser)]
    struct Flags {
        #[arg(long, env = "TEST_SETTINGS_URL", hide_env_values = true)]
        #[allow(dead_code, reason = "read through the matches")]
        url: Option<String>,
        #[arg(long, env = "TEST_SETTINGS_PLACE", default_value = "here")]
        #[allow(dead_code, reason = "read through the matches")]
        place: String,
        #[arg(long)]
        #[allow(dead_code, reason = "has no variable, and is no setting")]
        once: bool,
    }

    fn settings(given: &[&str]) -> Vec<Setting> {
        let command = Flags::command();
        let matches = command
            .clone()
            .get_matches_from([&["test"], given].concat());
        list(&command, &matches)
    }

    #[test]
    fn each_setting_has_its_source() {
        let unset = settings(&[]);
        let given = settings(&["--url", "hunter2", "--place", "there\u{1b}[2J"]);

        assert_eq!(unset.len(), 2);
        assert_eq!((&unset[0].value, unset[0].source), (&None, Source::Unset));
        assert_eq!(unset[1].value.as_deref(), Some("here"));
        assert_eq!(unset[1].source, Source::Default);
        assert_eq!(given[0].value.as_deref(), Some("***"));
        assert_eq!(given[1].value.as_deref(), Some("there\\u{1b}[2J"));
        assert_eq!(given[1].source, Source::Flag);
    }

    #[test]
    fn a_url_keeps_everything_but_its_passwords() {
        let given =
            "postgres://me:hunter2@db:5432/webhooks?sslmode=require&password=hunter2#hunter2";

        let shown = &settings(&["--url", given])[0].value;

        let expected = "postgres://me:***@db:5432/webhooks?sslmode=require&password=***";
        assert_eq!(shown.as_deref(), Some(expected));
    }
}
