//! The resolver: from names to addresses, without waiting threads. A name without a reply from any
//! server costs only the webhooks at that name.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared, select};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use webhook_domain::FailureClass;

use super::failure::{Failure, is_out_of_files, unanswered_name};

/// How long a look-up may take, including the wait for a permit.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a query may stay without a reply before being sent again.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

/// How many names are looked up at once. Each takes two queries, and each query a socket.
const NAMES_AT_ONCE: usize = 512;

/// How many *silent* names are looked up at once: names without a reply from any server lately. Separate
/// permits keep silent names from holding up other names.
const SILENT_NAMES_AT_ONCE: usize = 64;

/// How long a name counts as silent after a look-up without a reply.
const SILENT_FOR: Duration = Duration::from_secs(5 * 60);

/// The most silent names remembered. Further silent names are looked up among the others.
const MAX_SILENT_NAMES: usize = 16_384;

/// How long the look-up waits for IPv6 addresses when IPv4 addresses are there, as RFC 8305 section 3
/// proposes.
const IPV6_WAIT: Duration = Duration::from_millis(50);

/// How long the look-up waits for IPv4 addresses when IPv6 addresses are there. Longer, as a machine
/// without IPv6 can use no others.
const IPV4_WAIT: Duration = Duration::from_secs(2);

/// The most replies cached, each until the TTL is over.
const MAX_CACHED_REPLIES: u64 = 8_192;

/// The longest time for addresses in the cache, also with a longer TTL.
const MAX_TTL: Duration = Duration::from_secs(60 * 60);

/// The longest time for the lack of an address in the cache: an admin may have just created the name.
const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(5);

/// The most addresses of a name tried; the rest is left out.
const MAX_ADDRESSES: usize = 16;

type Found = Result<Arc<[IpAddr]>, Failure>;
type LookUp = BoxFuture<'static, Found>;

/// Looks names up, a single look-up per name at a time for all requests.
pub(crate) struct NameResolver {
    resolver: Arc<TokioResolver>,
    permits: Arc<Permits>,
    running: Mutex<HashMap<Arc<str>, WeakShared<LookUp>>>,
}

impl NameResolver {
    /// A resolver asking `name_servers`, or, if empty, the servers of the machine's configuration.
    /// `/etc/hosts` counts in any case.
    pub(crate) fn new(name_servers: &[SocketAddr]) -> Result<Self, NetError> {
        let mut builder = if name_servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let servers = name_servers.iter().map(|address| name_server(*address));
            let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        set_bounds(builder.options_mut());
        Ok(Self {
            resolver: Arc::new(builder.build()?),
            permits: Arc::new(Permits::new()),
            running: Mutex::default(),
        })
    }

    /// Finds the addresses of a name, in the order of trying: IPv6 and IPv4 alternate. No search list is
    /// applied to the name.
    pub(crate) async fn look_up(&self, name: &Arc<str>) -> Found {
        let look_up = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(look_up) = running.get(name).and_then(WeakShared::upgrade) {
                look_up
            } else {
                let look_up = self.start(name.clone());
                // Look-ups end with the last request waiting for the name.
                running.retain(|_, look_up| look_up.upgrade().is_some());
                running.extend(look_up.downgrade().map(|weak| (name.clone(), weak)));
                look_up
            }
        };
        look_up.await
    }

    fn start(&self, name: Arc<str>) -> Shared<LookUp> {
        let (resolver, permits) = (self.resolver.clone(), self.permits.clone());
        let look_up = async move {
            let found = async {
                let _permit = permits.permits_for(&name).acquire().await;
                find(&resolver, &name).await
            };
            let found = timeout(LOOK_UP_TIMEOUT, found).await;
            let found = found.unwrap_or_else(|_| Err(unanswered_name(&name)));
            permits.note(&name, found == Err(unanswered_name(&name)));
            found
        };
        look_up.boxed().shared()
    }
}

/// The permits to look names up.
struct Permits {
    all: Semaphore,
    silent: Semaphore,
    /// Silent names, with the time of the look-up without a reply.
    silent_names: Mutex<HashMap<Arc<str>, Instant>>,
}

impl Permits {
    fn new() -> Self {
        Self {
            all: Semaphore::new(NAMES_AT_ONCE),
            silent: Semaphore::new(SILENT_NAMES_AT_ONCE),
            silent_names: Mutex::default(),
        }
    }

    fn permits_for(&self, name: &str) -> &Semaphore {
        let since = self.silent_names().get(name).copied();
        match since {
            Some(since) if since.elapsed() < SILENT_FOR => &self.silent,
            Some(_) | None => &self.all,
        }
    }

    fn note(&self, name: &Arc<str>, is_silent: bool) {
        let mut names = self.silent_names();
        if !is_silent {
            names.remove(name);
            return;
        }
        if names.len() >= MAX_SILENT_NAMES {
            names.retain(|_, since| since.elapsed() < SILENT_FOR);
        }
        if names.len() < MAX_SILENT_NAMES {
            names.insert(name.clone(), Instant::now());
        }
    }

    fn silent_names(&self) -> MutexGuard<'_, HashMap<Arc<str>, Instant>> {
        self.silent_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    let at_port = |connection: &mut ConnectionConfig| connection.port = address.port();
    server.connections.iter_mut().for_each(at_port);
    server
}

fn set_bounds(options: &mut ResolverOpts) {
    options.timeout = QUERY_TIMEOUT;
    options.attempts = 1;
    options.cache_size = MAX_CACHED_REPLIES;
    options.positive_max_ttl = Some(MAX_TTL);
    options.negative_max_ttl = Some(MAX_NEGATIVE_TTL);
}

async fn find(resolver: &TokioResolver, name: &str) -> Found {
    let (six, four) = (
        ask(resolver, name, RecordType::AAAA).boxed(),
        ask(resolver, name, RecordType::A).boxed(),
    );
    let (one, other) = select(six, four).await.factor_first();
    let other = match &one {
        // A name server dropping the query for one family must not hold up the other for long.
        Ok(found) if found.iter().all(IpAddr::is_ipv4) => timeout(IPV6_WAIT, other).await.ok(),
        Ok(_) => timeout(IPV4_WAIT, other).await.ok(),
        Err(_) => Some(other.await),
    };
    let addresses = match (one, other) {
        (Ok(one), Some(Ok(other))) => alternate(one, other),
        (Ok(found), _) | (Err(_), Some(Ok(found))) => found,
        (Err(error), Some(Err(other))) => return Err(worse(name, &error, &other)),
        (Err(error), None) => return Err(describe(name, &error)),
    };
    Ok(addresses.into_iter().take(MAX_ADDRESSES).collect())
}

/// Asks for the addresses of a family, and finds at least one.
async fn ask(
    resolver: &TokioResolver,
    name: &str,
    family: RecordType,
) -> Result<Vec<IpAddr>, NetError> {
    // The dot at the end keeps search lists away.
    let reply = resolver.lookup(format!("{name}."), family).await?;
    let records = reply.answers().iter();
    let addresses: Vec<_> = records.filter_map(|record| record.data.ip_addr()).collect();
    if addresses.is_empty() {
        return Err(NetError::Message("the name has no address"));
    }
    Ok(addresses)
}

/// Addresses of both families in alternation, IPv6 first.
fn alternate(one: Vec<IpAddr>, other: Vec<IpAddr>) -> Vec<IpAddr> {
    let (six, four) = if one.iter().any(IpAddr::is_ipv6) {
        (one, other)
    } else {
        (other, one)
    };
    let (mut six, mut four) = (six.into_iter(), four.into_iter());
    std::iter::from_fn(|| match (six.next(), four.next()) {
        (None, None) => None,
        (one, other) => Some(one.into_iter().chain(other)),
    })
    .flatten()
    .collect()
}

/// The failure of the more telling error: the lack of an address in one family does not explain the
/// other.
fn worse(name: &str, one: &NetError, other: &NetError) -> Failure {
    if is_lack(one) && !is_lack(other) {
        return describe(name, other);
    }
    describe(name, one)
}

fn is_lack(error: &NetError) -> bool {
    matches!(
        error,
        NetError::Message(_) | NetError::Dns(DnsError::NoRecordsFound(_))
    )
}

fn describe(name: &str, error: &NetError) -> Failure {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the library's text of the others is clear"
    )]
    match error {
        NetError::Dns(DnsError::NoRecordsFound(lack))
            if lack.response_code == ResponseCode::NXDomain =>
        {
            Failure::new(
                FailureClass::Dns,
                format_args!("the name {name} does not exist in the DNS"),
            )
        }
        NetError::Message(_) | NetError::Dns(DnsError::NoRecordsFound(_)) => Failure::new(
            FailureClass::Dns,
            format_args!("the name {name} has no address in the DNS"),
        ),
        NetError::Timeout => unanswered_name(name),
        NetError::Io(error) if is_out_of_files(error) => {
            Failure::ours(format_args!("there are too many open files: {error}"))
        }
        NetError::Dns(DnsError::ResponseCode(code)) => Failure::new(
            FailureClass::Dns,
            format_args!("the name servers could not look up {name}: {code}"),
        ),
        other => Failure::new(
            FailureClass::Dns,
            format_args!("the name {name} could not be looked up: {other}"),
        ),
    }
}

#[cfg(test)]
mod tests;
