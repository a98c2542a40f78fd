//! A flag's value or problems, and the clap parsers for both.

use std::error::Error;
use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

/// The value of a flag, or every problem with the text given for the flag.
#[derive(Debug, Clone)]
pub struct Flag<T>(Result<T, Vec<String>>);

impl<T> Flag<T> {
    pub(crate) fn as_result(&self) -> Result<&T, &[String]> {
        self.0.as_ref().map_err(Vec::as_slice)
    }
}

/// Makes a clap parser keep an error as a problem of the [`Flag`] instead of ending the process.
pub fn flag<P: TypedValueParser>(parser: P) -> FlagParser<P> {
    FlagParser(parser)
}

/// Parses comma-separated values, each with `parser`. White space around a value and empty values are
/// skipped: an empty text is an empty list. Each wrong value is a problem.
pub fn comma_separated<P: TypedValueParser>(parser: P) -> ListParser<P> {
    ListParser(parser)
}

/// Parses a whole number of `min` or more.
pub fn at_least(min: u64) -> impl TypedValueParser<Value = u64> {
    move |text: &str| match text.parse::<u64>() {
        Ok(number) if number < min => Err(format!("must be {min} or more")),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

/// The parser made by [`flag`].
#[derive(Debug, Clone)]
pub struct FlagParser<P>(P);

impl<P: TypedValueParser> TypedValueParser for FlagParser<P> {
    type Value = Flag<P::Value>;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let parsed = parse(&self.0, command, arg, value);
        Ok(Flag(parsed.map_err(|problem| vec![problem])))
    }

    // For `--help`.
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

/// The parser made by [`comma_separated`].
#[derive(Debug, Clone)]
pub struct ListParser<P>(P);

impl<P: TypedValueParser> TypedValueParser for ListParser<P> {
    type Value = Flag<Vec<P::Value>>;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        // Bytes outside UTF-8 become U+FFFD, and no parser takes U+FFFD.
        let text = value.to_string_lossy();
        let (mut values, mut problems) = (Vec::new(), Vec::new());
        for text in text.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            match parse(&self.0, command, arg, OsStr::new(text)) {
                Ok(value) => values.push(value),
                Err(problem) => problems.push(problem),
            }
        }
        Ok(Flag(if problems.is_empty() {
            Ok(values)
        } else {
            Err(problems)
        }))
    }
}

fn parse<P: TypedValueParser>(
    parser: &P,
    command: &Command,
    arg: Option<&Arg>,
    value: &OsStr,
) -> Result<P::Value, String> {
    // A value in an environment file often ends with white space.
    let value = value.to_str().map_or(value, |text| OsStr::new(text.trim()));
    parser.parse_ref(command, arg, value).map_err(|error| {
        let (name, reason) = (name(arg), reason(&error));
        // The value of a secret flag appears in no log.
        if arg.is_some_and(Arg::is_hide_env_values_set) {
            format!("{name} cannot be used: {reason}")
        } else {
            format!("{name} cannot be {value:?}: {reason}")
        }
    })
}

/// The environment variable of the flag: problems name the variable, however the value was given.
fn name(arg: Option<&Arg>) -> String {
    let variable = arg.and_then(Arg::get_env);
    variable.map_or_else(
        || arg.map(|arg| arg.get_id().to_string()).unwrap_or_default(),
        |variable| variable.to_string_lossy().into_owned(),
    )
}

/// The parser's own text, without clap's text about the flag and the usage.
fn reason(error: &clap::Error) -> String {
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue) {
        return format!("must be {}", values.join(" or "));
    }
    error
        .source()
        .map_or_else(|| error.kind().to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use clap::builder::BoolValueParser;
    use std::str::FromStr;

    #[derive(Parser)]
    struct Flags {
        #[arg(long, env = "A_NUMBER", value_parser = flag(at_least(10)))]
        number: Option<Flag<u64>>,
        #[arg(long, env = "SOME_NUMBERS", value_parser = comma_separated(u8::from_str))]
        numbers: Option<Flag<Vec<u8>>>,
        #[arg(long, env = "A_SWITCH", value_parser = flag(BoolValueParser::new()))]
        switch: Option<Flag<bool>>,
        #[arg(long, env = "A_SECRET", hide_env_values = true, value_parser = flag(u8::from_str))]
        secret: Option<Flag<u8>>,
    }

    fn problems<T>(flag: Option<&Flag<T>>) -> &[String] {
        let result = flag.expect("it is given").as_result();
        result.err().expect("it is wrong")
    }

    #[test]
    fn a_value_is_trimmed_and_parsed() {
        let flags = Flags::parse_from(["test", "--number", " 10\n", "--numbers", " 1, ,2,"]);

        let number = flags.number.expect("it is given");
        let numbers = flags.numbers.expect("it is given");
        assert_eq!(number.as_result(), Ok(&10));
        assert_eq!(numbers.as_result(), Ok(&vec![1, 2]));
    }

    #[test]
    fn an_empty_text_is_an_empty_list() {
        let flags = Flags::parse_from(["test", "--numbers", ""]);

        let numbers = flags.numbers.expect("it is given");
        assert_eq!(numbers.as_result(), Ok(&Vec::new()));
    }

    #[test]
    fn a_problem_names_the_variable_the_value_and_the_reason() {
        let flags = Flags::parse_from(["test", "--number", "9", "--switch", "maybe"]);

        let number = r#"A_NUMBER cannot be "9": must be 10 or more"#;
        let switch = r#"A_SWITCH cannot be "maybe": must be true or false"#;
        assert_eq!(problems(flags.number.as_ref()), [number]);
        assert_eq!(problems(flags.switch.as_ref()), [switch]);
    }

    #[test]
    fn each_value_of_a_list_has_its_own_problem() {
        let flags = Flags::parse_from(["test", "--numbers", "1, two, 3, four"]);

        let problems = problems(flags.numbers.as_ref());
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains(r#""two""#), "{problems:?}");
    }

    #[test]
    fn the_value_of_a_secret_is_not_repeated() {
        let flags = Flags::parse_from(["test", "--secret", "hunter2"]);

        let secret = "A_SECRET cannot be used: invalid digit found in string";
        assert_eq!(problems(flags.secret.as_ref()), [secret]);
    }
}
