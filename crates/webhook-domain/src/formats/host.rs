//! The format that a webhook's URL asks for, and warnings about a URL and a format that do not fit.

use url::Url;

use super::format::Format;
use crate::names::names;

/// The host of Slack's incoming webhooks, and the host for governments.
const SLACK_HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];
/// The hosts of Discord: of today, the former one, and two with early versions.
pub const DISCORD_HOSTS: [&str; 6] = [
    "discord.com",
    "discordapp.com",
    "ptb.discord.com",
    "ptb.discordapp.com",
    "canary.discord.com",
    "canary.discordapp.com",
];
/// The domains of workflows, which post to Teams.
const WORKFLOW_DOMAINS: [&str; 2] = [".logic.azure.com", ".environment.api.powerplatform.com"];
/// The domain of Teams' incoming webhooks, which Microsoft has retired.
const RETIRED_TEAMS_DOMAIN: &str = ".webhook.office.com";

/// A chat service, recognised by the host and the path of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChatUrl {
    /// A Slack incoming webhook, or a Discord webhook that takes Slack's messages.
    Slack,
    /// A Slack workflow that starts with a request of named variables.
    SlackWorkflow,
    Discord,
    /// A Discord webhook that takes GitHub's events.
    DiscordGitHub,
    /// A workflow of Power Automate, which may post to Teams.
    Workflow,
    RetiredTeams,
}

impl ChatUrl {
    /// Recognises a URL. `None`: the receiver is no chat service, or stands at a host of its own.
    fn of(url: &Url) -> Option<Self> {
        // A host may end with the dot of the DNS root.
        let host = url.host_str()?.trim_end_matches('.');
        let path = url.path().trim_end_matches('/');
        if SLACK_HOSTS.contains(&host) {
            let is_workflow = path.starts_with("/triggers/") || path.starts_with("/workflows/");
            return Some(if is_workflow {
                Self::SlackWorkflow
            } else {
                Self::Slack
            });
        }
        if DISCORD_HOSTS.contains(&host) && path.starts_with("/api/") {
            return Some(Self::of_discord(path));
        }
        if host.ends_with(RETIRED_TEAMS_DOMAIN) {
            return Some(Self::RetiredTeams);
        }
        let is_workflow = WORKFLOW_DOMAINS.iter().any(|domain| host.ends_with(domain));
        is_workflow.then_some(Self::Workflow)
    }

    fn of_discord(path: &str) -> Self {
        if path.ends_with("/slack") {
            Self::Slack
        } else if path.ends_with("/github") {
            Self::DiscordGitHub
        } else {
            Self::Discord
        }
    }

    /// The built-in format that the service takes.
    fn format(self) -> Option<Format> {
        match self {
            Self::Slack => Some(Format::Slack),
            Self::Discord => Some(Format::Discord),
            Self::Workflow => Some(Format::Teams),
            Self::SlackWorkflow | Self::DiscordGitHub | Self::RetiredTeams => None,
        }
    }
}

names! {
    /// Why deliveries to a URL will probably fail in a format. The webhook is saved nevertheless: a proxy may
    /// stand between.
    UrlFormatWarning, "warning about a URL" {
        /// The host takes Slack's messages only.
        NeedsSlack = "needs_slack",
        /// The host takes Discord's messages only.
        NeedsDiscord = "needs_discord",
        /// The host runs workflows, of which the ones that post to Teams take an adaptive card only.
        NeedsTeams = "needs_teams",
        /// A Slack workflow takes named variables instead of a message.
        SlackWorkflow = "slack_workflow",
        /// A Discord URL that ends with `/github` takes GitHub's events only.
        DiscordGitHub = "discord_github",
        /// The URL is of the kind that Microsoft has retired.
        RetiredTeams = "retired_teams",
    }
}

impl UrlFormatWarning {
    /// A sentence that says how to mend the webhook.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NeedsSlack => {
                "Slack refuses every body that is no Slack message: choose the format “Slack message”."
            }
            Self::NeedsDiscord => {
                "Discord refuses every body that is no Discord message: choose the format “Discord message”."
            }
            Self::NeedsTeams => {
                "A workflow that posts to Teams accepts every body, and fails unseen if the body has no \
                 card: choose the format “Teams card”."
            }
            Self::SlackWorkflow => {
                "A Slack workflow takes named variables instead of messages: choose the format “Custom template” with a \
                 field for each variable, or paste the URL of an incoming webhook."
            }
            Self::DiscordGitHub => {
                "Discord takes only GitHub's events at a URL that ends with /github: remove /github, and \
                 choose the format “Discord message”."
            }
            Self::RetiredTeams => {
                "Microsoft has retired this kind of URL: create a workflow in Teams (“Send webhook alerts \
                 to a channel”), and paste the URL of the workflow."
            }
        }
    }
}

/// Whether a URL is at Discord, whose global limit counts the requests of a sender to all of its webhooks. Another host
/// may take Discord's messages, and its word holds its own webhook only.
pub fn is_at_discord(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    DISCORD_HOSTS.contains(&host.trim_end_matches('.'))
}

impl Format {
    /// Whether a URL is a password with this format: a chat format, or any format at the host of a chat service.
    pub fn url_is_secret_at(self, url: &Url) -> bool {
        self.url_is_secret() || ChatUrl::of(url).is_some()
    }

    /// The format that the receiver behind a URL takes. `None`: the URL says nothing about a format.
    ///
    /// ```
    /// use webhook_domain::Format;
    ///
    /// let url = url::Url::parse("https://hooks.slack.com/services/T0/B0/x")?;
    ///
    /// assert_eq!(Format::proposed_for(&url), Some(Format::Slack));
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn proposed_for(url: &Url) -> Option<Self> {
        ChatUrl::of(url)?.format()
    }

    /// The fault of a webhook with this format at a URL. A chat format at a foreign host has none: other
    /// services take Slack's messages too.
    pub fn warning_for(self, url: &Url) -> Option<UrlFormatWarning> {
        match (ChatUrl::of(url)?, self) {
            (ChatUrl::RetiredTeams, _) => Some(UrlFormatWarning::RetiredTeams),
            // A template can have the shape of any service.
            (_, Self::Custom) => None,
            (ChatUrl::Slack, Self::Slack)
            | (ChatUrl::Discord, Self::Discord)
            | (ChatUrl::Workflow, Self::Teams) => None,
            (ChatUrl::SlackWorkflow, _) => Some(UrlFormatWarning::SlackWorkflow),
            (ChatUrl::DiscordGitHub, _) => Some(UrlFormatWarning::DiscordGitHub),
            (ChatUrl::Slack, _) => Some(UrlFormatWarning::NeedsSlack),
            (ChatUrl::Discord, _) => Some(UrlFormatWarning::NeedsDiscord),
            (ChatUrl::Workflow, _) => Some(UrlFormatWarning::NeedsTeams),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[rstest]
    #[case("https://hooks.slack.com/services/T0/B0/x", Some(Format::Slack))]
    #[case("https://HOOKS.slack.com./services/T0/B0/x", Some(Format::Slack))]
    #[case("https://hooks.slack-gov.com/services/T0/B0/x", Some(Format::Slack))]
    #[case("https://hooks.slack.com/triggers/T0/1/x", None)]
    #[case("https://discord.com/api/webhooks/1/x", Some(Format::Discord))]
    #[case(
        "https://canary.discord.com/api/v10/webhooks/1/x",
        Some(Format::Discord)
    )]
    #[case(
        "https://ptb.discordapp.com/api/webhooks/1/x?wait=true",
        Some(Format::Discord)
    )]
    #[case("https://discord.com/api/webhooks/1/x/slack", Some(Format::Slack))]
    #[case("https://discord.com/api/webhooks/1/x/github", None)]
    #[case(
        "https://prod-1.westus.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke?sig=x",
        Some(Format::Teams)
    )]
    #[case(
        "https://a1.12.environment.api.powerplatform.com/powerautomate/automations",
        Some(Format::Teams)
    )]
    #[case("https://acme.webhook.office.com/webhookb2/x", None)]
    #[case("https://hooks.slack.com.evil.example/services/x", None)]
    #[case("https://notdiscord.com/api/webhooks/1/x", None)]
    #[case("https://mattermost.example.com/hooks/x", None)]
    fn the_host_proposes_a_format(#[case] text: &str, #[case] format: Option<Format>) {
        assert_eq!(Format::proposed_for(&url(text)), format);
    }

    #[rstest]
    #[case(Format::Json, Some(UrlFormatWarning::NeedsSlack))]
    #[case(Format::CloudEvents, Some(UrlFormatWarning::NeedsSlack))]
    #[case(Format::Discord, Some(UrlFormatWarning::NeedsSlack))]
    #[case(Format::Slack, None)]
    #[case(Format::Custom, None)]
    fn a_chat_host_wants_its_format(
        #[case] format: Format,
        #[case] warning: Option<UrlFormatWarning>,
    ) {
        let slack = url("https://hooks.slack.com/services/T0/B0/x");

        assert_eq!(format.warning_for(&slack), warning);
    }

    #[rstest]
    #[case("https://discord.com/api/webhooks/1/x/slack", true)]
    #[case("https://ptb.discord.com./api/webhooks/1/x", true)]
    #[case("https://proxy.example.com/in", false)]
    #[case("https://discord.com.example.com/in", false)]
    fn only_discords_own_hosts_have_its_global_limit(#[case] text: &str, #[case] is: bool) {
        assert_eq!(is_at_discord(&url(text)), is);
    }

    #[rstest]
    #[case(Format::Slack, "https://proxy.example.com/in", true)]
    #[case(Format::Custom, "https://hooks.slack.com/triggers/T0/1/x", true)]
    #[case(Format::Json, "https://discord.com/api/webhooks/1/x/github", true)]
    #[case(Format::Custom, "https://proxy.example.com/in", false)]
    fn a_url_is_secret_by_its_format_or_its_host(
        #[case] format: Format,
        #[case] text: &str,
        #[case] is: bool,
    ) {
        assert_eq!(format.url_is_secret_at(&url(text)), is);
    }

    #[test]
    fn a_url_that_takes_no_built_in_format_is_told() {
        let workflow = url("https://hooks.slack.com/workflows/T0/A0/1/x");
        let retired = url("https://acme.webhook.office.com/webhookb2/x");

        assert_eq!(
            Format::Slack.warning_for(&workflow),
            Some(UrlFormatWarning::SlackWorkflow)
        );
        assert_eq!(Format::Custom.warning_for(&workflow), None);
        for format in Format::ALL {
            assert_eq!(
                format.warning_for(&retired),
                Some(UrlFormatWarning::RetiredTeams)
            );
        }
    }

    #[test]
    fn a_chat_format_at_a_foreign_host_is_no_fault() {
        let mattermost = url("https://mattermost.example.com/hooks/x");

        for format in Format::ALL {
            assert_eq!(format.warning_for(&mattermost), None);
        }
    }
}
