use serde_json::Value;

use crate::chat::json::texts;

/// Mentions of all people of a channel or a team.
const GROUPS: [&str; 3] = ["!channel", "!here", "!everyone"];

/// The mentions in any text of a message, for instance `<!channel>` or `<@U012AB3CD>`. A text in which `<` is
/// written as `&lt;` has none. Texts of type `plain_text` count too, although Slack shows their mentions
/// as letters: a sender should escape everywhere.
pub(super) fn of(message: &Value) -> Vec<String> {
    texts(message).into_iter().flat_map(in_text).collect()
}

fn in_text(text: &str) -> Vec<String> {
    // Each `<` may begin a mention, also one inside an unfinished `<…`.
    let after_brackets = text.split('<').skip(1);
    let inner = after_brackets.filter_map(|rest| rest.split_once('>'));
    // `<!here|label>` mentions with a label.
    let named = inner.map(|(inner, _)| inner.split('|').next().unwrap_or(inner));
    let mentions = named.filter(|name| is_mention(name));
    mentions.map(|name| format!("<{name}>")).collect()
}

fn is_mention(name: &str) -> bool {
    let person = name.starts_with("@U") || name.starts_with("@W");
    person || GROUPS.contains(&name) || name.starts_with("!subteam^")
}
