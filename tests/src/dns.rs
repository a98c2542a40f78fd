//! A name server on loopback. A test changes the zone while the server runs.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// The largest DNS message over TCP (RFC 1035, 4.2.2), in bytes.
const MAX_MESSAGE_BYTES: usize = 65_535;

/// A name server that answers over UDP and TCP, and counts the queries for each name.
pub struct NameServer {
    /// The server's address, for the dispatcher's `DNS_SERVERS`.
    pub address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

/// How the name server answers a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// With the records of the name and the type, maybe none.
    Found,
    /// With the code of an error, `NXDOMAIN` or `SERVFAIL`.
    Refused(ResponseCode),
    /// With no message.
    Silent,
}

/// The zone's entry for a name.
#[derive(Debug, Clone)]
pub struct DnsEntry {
    addresses: Vec<IpAddr>,
    ttl: Duration,
    delay: Duration,
    a: Manner,
    aaaa: Manner,
}

/// Names in lower case, without a dot at the end.
#[derive(Default)]
struct Zone {
    entries: HashMap<String, DnsEntry>,
    queries: HashMap<String, Vec<RecordType>>,
}

impl DnsEntry {
    /// A name with `addresses`, in order, for 1 s.
    pub fn at<A: Into<IpAddr>>(addresses: impl IntoIterator<Item = A>) -> Self {
        Self {
            addresses: addresses.into_iter().map(Into::into).collect(),
            ttl: Duration::from_secs(1),
            delay: Duration::ZERO,
            a: Manner::Found,
            aaaa: Manner::Found,
        }
    }

    /// A name whose queries are never answered.
    pub fn silent() -> Self {
        Self::answered(Manner::Silent)
    }

    /// A missing name (`NXDOMAIN`), like every name outside the zone.
    pub fn missing() -> Self {
        Self::answered(Manner::Refused(ResponseCode::NXDomain))
    }

    /// A name whose queries are answered with `SERVFAIL`.
    pub fn broken() -> Self {
        Self::answered(Manner::Refused(ResponseCode::ServFail))
    }

    fn answered(manner: Manner) -> Self {
        Self {
            a: manner,
            aaaa: manner,
            ..Self::at(Vec::<IpAddr>::new())
        }
    }

    /// The entry with records that resolvers may keep for `ttl`, in whole seconds.
    pub fn kept_for(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// The entry with answers after `delay`.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The entry without answers to queries for AAAA; queries for A are answered.
    pub fn without_answer_for_aaaa(self) -> Self {
        Self {
            aaaa: Manner::Silent,
            ..self
        }
    }

    fn manner(&self, wanted: RecordType) -> Manner {
        if wanted == RecordType::AAAA {
            self.aaaa
        } else {
            self.a
        }
    }

    fn records(&self, wanted: RecordType) -> impl Iterator<Item = RData> {
        let data = self.addresses.iter().map(|address| match address {
            IpAddr::V4(address) => RData::A((*address).into()),
            IpAddr::V6(address) => RData::AAAA((*address).into()),
        });
        data.filter(move |data| data.record_type() == wanted)
    }
}

impl NameServer {
    /// Starts with an empty zone.
    pub async fn start() -> Self {
        // Another process may have the TCP port of a free UDP port: the next port is free in both.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
            let address = udp.local_addr().expect("the port is bound");
            if let Ok(tcp) = TcpListener::bind(address).await {
                break (udp, tcp);
            }
        };
        let server = Self {
            address: udp.local_addr().expect("the port is bound"),
            zone: Arc::default(),
        };
        tokio::spawn(serve_datagrams(Arc::new(udp), server.zone.clone()));
        tokio::spawn(serve_connections(tcp, server.zone.clone()));
        server
    }

    /// Sets or replaces the entry of `name`. `*.example.test` stands for every name with
    /// one label more than `example.test` that has no entry of its own.
    pub fn set(&self, name: &str, entry: DnsEntry) {
        lock(&self.zone).entries.insert(key(name), entry);
    }

    /// How many queries for `name` arrived, of any type.
    pub fn queries(&self, name: &str) -> usize {
        lock(&self.zone).queries.get(&key(name)).map_or(0, Vec::len)
    }

    /// How many queries for AAAA records of `name` arrived.
    pub fn queries_for_aaaa(&self, name: &str) -> usize {
        let zone = lock(&self.zone);
        let queries = zone.queries.get(&key(name)).into_iter().flatten();
        queries
            .filter(|wanted| **wanted == RecordType::AAAA)
            .count()
    }
}

fn lock(zone: &Mutex<Zone>) -> MutexGuard<'_, Zone> {
    zone.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl Zone {
    fn find(&self, name: &str) -> Option<&DnsEntry> {
        let wildcard = || {
            let (_, parent) = name.split_once('.')?;
            self.entries.get(&format!("*.{parent}"))
        };
        self.entries.get(name).or_else(wildcard)
    }
}

async fn serve_datagrams(socket: Arc<UdpSocket>, zone: Arc<Mutex<Zone>>) {
    let mut buffer = vec![0; MAX_MESSAGE_BYTES];
    loop {
        // A closed socket of a resolver makes the next read fail; the read after the failure works.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let Some((delay, answer)) = answer(&buffer[..length], &zone) else {
            continue;
        };
        let socket = socket.clone();
        // A late answer must not hold up the answers for other names.
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let _ = socket.send_to(&answer, from).await;
        });
    }
}

async fn serve_connections(listener: TcpListener, zone: Arc<Mutex<Zone>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let zone = zone.clone();
        tokio::spawn(async move { serve_connection(stream, &zone).await });
    }
}

/// Answers the queries of a connection in turn. Each message stands after the length.
async fn serve_connection(mut stream: TcpStream, zone: &Mutex<Zone>) -> Option<()> {
    loop {
        let length = stream.read_u16().await.ok()?;
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.ok()?;
        let Some((delay, answer)) = answer(&query, zone) else {
            continue;
        };
        tokio::time::sleep(delay).await;
        let length = u16::try_from(answer.len()).ok()?;
        stream.write_u16(length).await.ok()?;
        stream.write_all(&answer).await.ok()?;
    }
}

/// The answer to a query, and the delay of the answer. `None`: the name server stays silent.
fn answer(query: &[u8], zone: &Mutex<Zone>) -> Option<(Duration, Vec<u8>)> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?.clone();
    let (name, wanted) = (key(&question.name.to_ascii()), question.query_type);
    let mut zone = lock(zone);
    zone.queries.entry(name.clone()).or_default().push(wanted);
    let found = zone.find(&name).cloned().unwrap_or_else(DnsEntry::missing);
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.metadata.recursion_desired = query.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    // Some resolvers vary the case of a name to recognise forged answers: the question goes back as is.
    answer.add_query(question.clone());
    match found.manner(wanted) {
        Manner::Silent => return None,
        Manner::Refused(code) => answer.metadata.response_code = code,
        Manner::Found => {
            let ttl = u32::try_from(found.ttl.as_secs()).unwrap_or(u32::MAX);
            let record = |data| Record::from_rdata(question.name.clone(), ttl, data);
            answer.add_answers(found.records(wanted).map(record));
        }
    }
    Some((found.delay, answer.to_vec().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::{OpCode, Query};
    use hickory_proto::rr::Name;
    use std::net::Ipv4Addr;

    const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

    fn query(name: &str, wanted: RecordType) -> Vec<u8> {
        let mut query = Message::query();
        query.metadata.op_code = OpCode::Query;
        let name = Name::from_ascii(name).expect("a name");
        query.add_query(Query::query(name, wanted));
        query.to_vec().expect("the query is written")
    }

    async fn ask(server: &NameServer, name: &str, wanted: RecordType) -> Option<Message> {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let query = query(name, wanted);
        let sent = socket.send_to(&query, server.address).await;
        sent.expect("the query is sent");
        let mut buffer = [0; 512];
        let answered = socket.recv(&mut buffer);
        let answered = tokio::time::timeout(Duration::from_millis(200), answered).await;
        let length = answered.ok()?.expect("the answer is read");
        Some(Message::from_vec(&buffer[..length]).expect("a message"))
    }

    #[tokio::test]
    async fn a_name_is_answered_as_the_zone_says_at_that_moment() {
        let server = NameServer::start().await;
        let code = |answer: Option<Message>| answer.map(|a| a.metadata.response_code);

        server.set(
            "a.test",
            DnsEntry::at([HOME]).kept_for(Duration::from_secs(7)),
        );
        server.set("*.silent.test", DnsEntry::silent());
        server.set("broken.test", DnsEntry::broken());
        server.set("half.test", DnsEntry::at([HOME]).without_answer_for_aaaa());
        let found = ask(&server, "A.test.", RecordType::A).await;
        let none = ask(&server, "a.test.", RecordType::AAAA).await;
        server.set("a.test", DnsEntry::missing());
        let moved = ask(&server, "a.test.", RecordType::A).await;

        let found = found.expect("an answer");
        assert_eq!(found.answers[0].data, RData::A(HOME.into()));
        assert_eq!(found.answers[0].ttl, 7);
        assert!(none.expect("an answer").answers.is_empty());
        assert_eq!(code(moved), Some(ResponseCode::NXDomain));
        assert_eq!(
            (server.queries("a.test"), server.queries_for_aaaa("a.test")),
            (3, 1)
        );
        let broken = ask(&server, "broken.test.", RecordType::A).await;
        assert_eq!(code(broken), Some(ResponseCode::ServFail));
        assert!(
            ask(&server, "x.silent.test.", RecordType::A)
                .await
                .is_none()
        );
        assert!(ask(&server, "half.test.", RecordType::A).await.is_some());
        assert!(ask(&server, "half.test.", RecordType::AAAA).await.is_none());
    }

    #[tokio::test]
    async fn queries_over_tcp_are_answered_too() {
        let server = NameServer::start().await;
        server.set(
            "a.test",
            DnsEntry::at([HOME]).after(Duration::from_millis(1)),
        );
        let mut stream = TcpStream::connect(server.address)
            .await
            .expect("the server accepts");
        let query = query("a.test.", RecordType::A);
        let length = u16::try_from(query.len()).expect("a short query");

        stream.write_u16(length).await.expect("the query is sent");
        stream.write_all(&query).await.expect("the query is sent");
        let length = stream.read_u16().await.expect("an answer");
        let mut answer = vec![0; usize::from(length)];
        stream
            .read_exact(&mut answer)
            .await
            .expect("the whole answer");

        let answer = Message::from_vec(&answer).expect("a message");
        assert_eq!(answer.answers.len(), 1);
    }
}
