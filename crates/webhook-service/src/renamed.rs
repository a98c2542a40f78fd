//! Variables with a new name. The old name goes on working for a release, with a warning.

use std::env;
use std::ffi::OsString;

/// A variable that has got a new name.
#[derive(Debug, Clone, Copy)]
pub struct Renamed {
    /// The name until the release before.
    pub old: &'static str,
    /// The name from now on.
    pub new: &'static str,
    /// The flag of the variable: `--operations-listen`.
    pub flag: &'static str,
}

/// The arguments of the process for clap's `parse_from`, with a flag for each variable that is set under its old
/// name only. The second value has a warning for each.
pub fn arguments(renamed: &[Renamed]) -> (Vec<OsString>, Vec<String>) {
    with_old_names(env::args_os().collect(), renamed, |name| env::var_os(name))
}

fn with_old_names(
    mut arguments: Vec<OsString>,
    renamed: &[Renamed],
    variable: impl Fn(&str) -> Option<OsString>,
) -> (Vec<OsString>, Vec<String>) {
    let mut warnings = Vec::new();
    for Renamed { old, new, flag } in renamed {
        let by_flag = arguments.iter().any(|given| {
            let given = given.to_string_lossy();
            given == *flag || given.starts_with(&format!("{flag}="))
        });
        if by_flag || variable(new).is_some() {
            continue;
        }
        if let Some(value) = variable(old) {
            // Behind the name of the program, before a subcommand.
            arguments.splice(1..1, [(*flag).into(), value]);
            warnings.push(format!(
                "{old} is called {new} now; the next release knows the new name only"
            ));
        }
    }
    (arguments, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTEN: Renamed = Renamed {
        old: "LISTEN",
        new: "OPERATIONS_LISTEN",
        flag: "--operations-listen",
    };

    /// The arguments behind the program's name, and the number of warnings.
    fn arguments(given: &[&str], variables: &[(&str, &str)]) -> (String, usize) {
        let given = ["program"].iter().chain(given).map(OsString::from);
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let (arguments, warnings) = with_old_names(given.collect(), &[LISTEN], variable);
        let arguments = arguments[1..].iter().map(|one| one.to_string_lossy());
        (arguments.collect::<Vec<_>>().join(" "), warnings.len())
    }

    #[test]
    fn an_old_name_counts_with_a_warning() {
        let expected = ("--operations-listen 1 serve".to_owned(), 1);

        assert_eq!(arguments(&["serve"], &[("LISTEN", "1")]), expected);
    }

    #[test]
    fn a_new_name_or_a_flag_counts_before_the_old_name() {
        let both = [("LISTEN", "1"), ("OPERATIONS_LISTEN", "2")];
        assert_eq!(arguments(&[], &both), (String::new(), 0));

        let flag = "--operations-listen=3";
        assert_eq!(arguments(&[flag], &both[..1]), (flag.to_owned(), 0));
    }
}
