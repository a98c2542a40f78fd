//! The reference of a program's flags as a page of the documentation, written from the definitions that `--help`
//! shows.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command};

/// The tables of a program: a section for the program's own flags, and one for each command with flags.
pub fn sections(program: &Command) -> String {
    let mut page = String::new();
    section(program, program.get_name(), 2, &mut page);
    commands(program, program.get_name(), &mut page);
    page
}

/// The sections of the commands below `command`. A hidden command goes on working for old scripts, and has none.
fn commands(command: &Command, path: &str, page: &mut String) {
    for inner in command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
    {
        let path = format!("{path} {}", inner.get_name());
        section(inner, &path, 3, page);
        commands(inner, &path, page);
    }
}

fn section(command: &Command, path: &str, level: usize, page: &mut String) {
    let arguments = command.get_arguments().filter(|arg| !is_left_out(arg));
    let rows: String = arguments.map(row).collect();
    if rows.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    let _ = write!(page, "\n{} `{path}`\n\n", "#".repeat(level));
    if level > 2
        && let Some(about) = command.get_about()
    {
        let _ = write!(page, "{about}.\n\n");
    }
    page.push_str("| flag | variable | at first | meaning |\n| --- | --- | --- | --- |\n");
    page.push_str(&rows);
}

/// Whether every program has the argument.
fn is_left_out(arg: &Arg) -> bool {
    arg.is_hide_set() || ["help", "version"].contains(&arg.get_id().as_str())
}

fn row(arg: &Arg) -> String {
    let variable = arg
        .get_env()
        .map(|name| format!("`{}`", name.to_string_lossy()));
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
    let default = Some(defaults.join(",")).filter(|text| !text.is_empty());
    let meaning = arg.get_help().map(ToString::to_string).unwrap_or_default();
    format!(
        "| `{}` | {} | {} | {} |\n",
        cell(&usage(arg)),
        variable.unwrap_or_default(),
        default
            .filter(|_| takes_value(arg))
            .map_or_else(String::new, |text| format!("`{}`", cell(&text))),
        cell(&(meaning + &names(arg))),
    )
}

/// `--listen ADDRESS:PORT`, or `FILE` for an argument without a flag.
fn usage(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first());
    let value = value.map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    match arg.get_long() {
        Some(long) if takes_value(arg) => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
        None => value,
    }
}

/// The names of which a value is one, behind the meaning.
fn names(arg: &Arg) -> String {
    let values = arg.get_possible_values();
    if values.is_empty() || !takes_value(arg) {
        return String::new();
    }
    let names: Vec<String> = values
        .iter()
        .map(|one| format!("`{}`", one.get_name()))
        .collect();
    format!(": {}", names.join(" or "))
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    #[test]
    fn a_table_holds_every_flag_and_no_hidden_command() {
        let place = Arg::new("place")
            .long("place")
            .env("PLACE")
            .default_value("here")
            .help("a|b");
        let file = Arg::new("file").help("A file");
        let program = Command::new("demo")
            .arg(place)
            .subcommand(Command::new("read").about("Read it").arg(file))
            .subcommand(Command::new("old").hide(true).arg(Arg::new("x")));

        let page = sections(&program);

        assert_eq!(page.matches("\n#").count(), 2, "{page}");
        assert!(
            page.contains("| `--place PLACE` | `PLACE` | `here` | a\\|b |"),
            "{page}"
        );
        assert!(page.contains("### `demo read`\n\nRead it.\n"), "{page}");
        assert!(page.contains("| `FILE` |  |  | A file |"), "{page}");
    }
}
