//! The checks of the way to receivers: names, the address policy, and a URL on demand. No request is sent.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::{Host, Url};
use webhook_admin::url_rules::UrlRules;
use webhook_api::Flags;
use webhook_domain::{AddressPolicy, WebhookUrl};

use super::finding::Finding;

const AREA: &str = "egress";

/// How long a name may take to be looked up. As long as for a dispatcher.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(4);

/// How long an address may take to accept a connection.
const CONNECTED_WITHIN: Duration = Duration::from_secs(3);

/// Addresses of a URL that are tried.
const MAX_TRIED: usize = 8;

/// The address of cloud providers' metadata services, which hand out credentials.
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// Checks names and policy, and `url` if given.
pub(super) async fn check(
    url: Option<&str>,
    hosts: &BTreeSet<String>,
    flags: &Flags,
) -> Vec<Finding> {
    let Ok(rules) = flags.check_url_rules() else {
        return vec![Finding::unchecked(AREA, "the rules for URLs are wrong")];
    };
    let mut findings = vec![judge_policy(&rules.addresses)];
    match url {
        Some(url) => findings.extend(check_url(url, &rules).await),
        None => findings.extend(check_hosts(hosts).await),
    }
    findings
}

fn judge_policy(policy: &AddressPolicy) -> Finding {
    let networks: Vec<String> = policy.allowed.iter().map(ToString::to_string).collect();
    if policy.permits(METADATA) {
        let told = format!(
            "webhooks may be aimed at {METADATA}, where clouds hand out credentials: {} is allowed",
            networks.join(", ")
        );
        return Finding::warning(AREA, told)
            .advise("allow only the networks of receivers in WEBHOOK_ALLOW_NETWORKS");
    }
    Finding::fine(
        AREA,
        match networks.is_empty() {
            true => "webhooks may be aimed at public addresses only".to_owned(),
            false => format!(
                "webhooks may be aimed at public addresses, and at {}",
                networks.join(", ")
            ),
        },
    )
}

/// Looks up the hosts of webhooks.
async fn check_hosts(hosts: &BTreeSet<String>) -> Vec<Finding> {
    let names: Vec<&String> = hosts.iter().filter(|host| is_name(host)).collect();
    if names.is_empty() {
        return vec![
            Finding::unchecked(
                AREA,
                "no Active webhook has a host name that could be looked up",
            )
            .advise("give --url"),
        ];
    }
    join_all(
        names
            .into_iter()
            .map(async |name| match look_up(name, 443).await {
                Ok(addresses) => Finding::fine(
                    AREA,
                    format!("{name} of a webhook has {} addresses", addresses.len()),
                ),
                Err(reason) => {
                    let told = format!("{name} of a webhook cannot be looked up: {reason}");
                    Finding::warning(AREA, told).advise(
                        "look at /etc/resolv.conf here, and at DNS_SERVERS of the dispatchers",
                    )
                }
            }),
    )
    .await
}

fn is_name(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_err()
}

/// Judges a URL as the API does, and its addresses as a dispatcher does.
async fn check_url(text: &str, rules: &UrlRules) -> Vec<Finding> {
    let url = match WebhookUrl::parse(text, rules.schemes, &rules.addresses) {
        Ok(url) => url.as_url().clone(),
        Err(error) => {
            let refused = Finding::problem(
                AREA,
                format!("the URL of --url is refused for webhooks: {error}"),
            );
            return vec![refused.advise(
                "see WEBHOOK_ALLOW_HTTP and WEBHOOK_ALLOW_NETWORKS in docs/configuration.md",
            )];
        }
    };
    let (host, port) = (place(&url), url.port_or_known_default().unwrap_or(443));
    let addresses = match look_up(&host, port).await {
        Ok(addresses) => addresses,
        Err(reason) => {
            return vec![
                Finding::problem(AREA, format!("{host} cannot be looked up: {reason}"))
                    .advise("correct the name, or look at the name servers"),
            ];
        }
    };
    join_all(
        addresses
            .into_iter()
            .take(MAX_TRIED)
            .map(|address| judge(&host, address, &rules.addresses)),
    )
    .await
}

/// The host for a look-up: an IPv6 address without brackets.
fn place(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => String::new(),
    }
}

async fn judge(host: &str, address: SocketAddr, policy: &AddressPolicy) -> Finding {
    if !policy.permits(address.ip()) {
        let told = format!(
            "{host} has the address {}, which no dispatcher calls",
            address.ip()
        );
        return Finding::problem(AREA, told)
            .advise("allow the network in WEBHOOK_ALLOW_NETWORKS if the receiver is yours");
    }
    match timeout(CONNECTED_WITHIN, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Finding::fine(
            AREA,
            format!("{host} accepts connections at {address}; no request was sent"),
        ),
        Ok(Err(error)) => Finding::problem(
            AREA,
            format!("{host} accepts no connection at {address}: {error}"),
        )
        .advise("start the receiver, or open the firewall between here and there"),
        Err(_) => Finding::problem(AREA, format!("{host} does not answer at {address}"))
            .advise("look for a firewall that drops packets"),
    }
}

/// The addresses of a host, by the resolver of this machine. Dispatchers have a resolver of their own.
async fn look_up(host: &str, port: u16) -> Result<BTreeSet<SocketAddr>, String> {
    match timeout(LOOKED_UP_WITHIN, lookup_host((host, port))).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the name servers do not answer".to_owned()),
    }
}
