use super::*;
use crate::client::Blame;
use hickory_resolver::net::NoRecords;
use hickory_resolver::proto::op::Query;
use rstest::rstest;

#[test]
fn both_families_are_tried_alternate() {
    let six = ["2001:db8::1", "2001:db8::2"].map(|a| a.parse().expect("an address"));
    let four = ["192.0.2.1"].map(|a| a.parse().expect("an address"));

    let expected = [six[0], four[0], six[1]];
    assert_eq!(alternate(six.to_vec(), four.to_vec()), expected);
    assert_eq!(alternate(four.to_vec(), six.to_vec()), expected);
    assert_eq!(alternate(four.to_vec(), Vec::new()), four);
}

#[tokio::test]
async fn the_hosts_file_counts_and_no_name_server_is_needed_for_it() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let resolver = NameResolver::new(&[silent.local_addr().expect("an address")]);

    let found = resolver
        .expect("a resolver")
        .look_up(&"localhost".into())
        .await;

    let found = found.expect("addresses");
    assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_answers_for_ends_in_time_and_is_asked_for_once() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let resolver = NameResolver::new(&[silent.local_addr().expect("an address")]);
    let (resolver, name) = (resolver.expect("a resolver"), "example.test".into());

    let (one, other) = tokio::join!(resolver.look_up(&name), resolver.look_up(&name));

    let failure = one.expect_err("nobody answers");
    assert_eq!(failure, unanswered_name("example.test"));
    assert_eq!(other, Err(failure));
}

const NAME: &str = "a.test";

/// The reply that there is no record.
fn lack(code: ResponseCode) -> NetError {
    NetError::Dns(DnsError::NoRecordsFound(NoRecords::new(
        Query::default(),
        code,
    )))
}

fn dns(told: &str) -> Failure {
    Failure::new(FailureClass::Dns, told)
}

#[rstest]
#[case(
    lack(ResponseCode::NXDomain),
    dns("the name a.test does not exist in the DNS")
)]
#[case(
    lack(ResponseCode::NoError),
    dns("the name a.test has no address in the DNS")
)]
#[case(
    NetError::Message("no address"),
    dns("the name a.test has no address in the DNS")
)]
#[case(NetError::Timeout, unanswered_name(NAME))]
#[case(
    NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)),
    dns("the name servers could not look up a.test: Server Failure")
)]
#[case(
    NetError::from(std::io::Error::other("no luck")),
    dns("the name a.test could not be looked up: io error: no luck")
)]
fn a_look_up_that_failed_tells_how(#[case] error: NetError, #[case] failure: Failure) {
    assert_eq!(describe(NAME, &error), failure);
}

#[test]
fn a_want_of_free_files_is_our_own_failure() {
    let error = NetError::from(std::io::Error::from_raw_os_error(24));

    let failure = describe(NAME, &error);

    assert_eq!(failure.blame, Blame::Us);
}

#[test]
fn the_lack_of_an_address_in_one_family_does_not_explain_the_other() {
    let (unknown, silence) = (lack(ResponseCode::NXDomain), NetError::Timeout);
    let (lack, silent) = (lack(ResponseCode::NoError), unanswered_name(NAME));

    assert_eq!(worse(NAME, &lack, &silence), silent);
    assert_eq!(worse(NAME, &silence, &lack), silent);
    assert_eq!(worse(NAME, &unknown, &lack), describe(NAME, &unknown));
}

#[tokio::test(start_paused = true)]
async fn a_silent_name_has_permits_of_its_own_until_it_answers_or_for_a_while() {
    let (permits, name) = (Permits::new(), Arc::from(NAME));
    let is_silent = || std::ptr::eq(permits.permits_for(NAME), &raw const permits.silent);

    permits.note(&name, true);
    let noted = is_silent();
    permits.note(&name, false);
    let answered = is_silent();
    permits.note(&name, true);
    tokio::time::advance(SILENT_FOR).await;

    assert!(noted && !answered && !is_silent());
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_most_silent_names_are_remembered_at_once() {
    let (permits, late) = (Permits::new(), Arc::from(NAME));
    let is_silent = || std::ptr::eq(permits.permits_for(NAME), &raw const permits.silent);
    for number in 0..MAX_SILENT_NAMES {
        permits.note(&format!("{number}.test").into(), true);
    }

    permits.note(&late, true);
    let without_place = is_silent();
    tokio::time::advance(SILENT_FOR).await;
    permits.note(&late, true);

    assert!(!without_place && is_silent());
}
