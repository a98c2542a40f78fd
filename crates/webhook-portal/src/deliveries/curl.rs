//! A request as a `curl` command.

use webhook_admin::deliveries::RequestHeaderBody;

use crate::shell::quote;

/// The most bytes of a body as an argument. Linux refuses arguments of 128 KiB or more, and quotes add
/// bytes; a larger body is piped.
const ARGUMENT_BYTES: usize = 64 * 1024;

/// A request as a command for a POSIX shell. Secret values are placeholders.
pub(super) fn curl(url: &str, headers: &[RequestHeaderBody], body: &str) -> String {
    // curl would expand `[1-3]` and `{a,b}` in a URL without `--globoff`.
    let mut lines = vec![format!("curl --globoff --request POST {}", quote(url))];
    let headers = headers.iter().map(|header| {
        let value = header.value.as_deref();
        let placeholder = format!("<the secret value of {}>", header.name);
        let line = format!("{}: {}", header.name, value.unwrap_or(&placeholder));
        format!("--header {}", quote(&line))
    });
    lines.extend(headers);
    if body.len() <= ARGUMENT_BYTES {
        lines.push(format!("--data-raw {}", quote(body)));
        return lines.join(" \\\n  ");
    }
    // `printf` is built into the shell, so the kernel's limit of arguments does not hold for the body.
    lines.push("--data-binary @-".to_owned());
    format!("printf %s {} |\n{}", quote(body), lines.join(" \\\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: Option<&str>) -> RequestHeaderBody {
        RequestHeaderBody {
            name: name.to_owned(),
            value: value.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn nothing_in_a_request_is_read_by_the_shell() {
        let headers = [header("X-A", Some("$HOME `id`")), header("X-Token", None)];

        let command = curl("https://a.example/?b=[1]&c", &headers, r#"{"it's":"\n"}"#);

        let expected = [
            "curl --globoff --request POST 'https://a.example/?b=[1]&c' \\",
            "  --header 'X-A: $HOME `id`' \\",
            "  --header 'X-Token: <the secret value of X-Token>' \\",
            r#"  --data-raw '{"it'\''s":"\n"}'"#,
        ];
        assert_eq!(command, expected.join("\n"));
    }

    #[test]
    fn a_body_that_is_no_argument_is_piped() {
        let body = "x".repeat(ARGUMENT_BYTES + 1);

        let command = curl("https://a.example/", &[], &body);

        let expected = format!(
            "printf %s '{body}' |\ncurl --globoff --request POST 'https://a.example/' \\\n  --data-binary @-"
        );
        assert_eq!(command, expected);
    }
}
