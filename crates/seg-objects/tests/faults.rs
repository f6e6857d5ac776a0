//! What stores do wrong is tried again for a while, and then told of; no answer is made of it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod server;

use seg_io::objects::{Address, FoundObject, ObjectStores};
use server::{Fault, Server};
use std::io::Cursor;

fn stores(server: &Server) -> ObjectStores {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "id".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", server.port)),
        ("AWS_REGION", "eu-central-1".to_owned()),
    ];
    seg_objects::stores(variables.map(|(name, value)| (name.to_owned(), value)))
}

fn address(key: &str) -> Address {
    Address::parse(&format!("s3://bucket/{key}")).expect("an address")
}

fn found(stores: &ObjectStores, key: &str) -> FoundObject {
    stores.find(&address(key)).expect("asked").expect("an object")
}

/// Bytes of which no two stretches are alike.
fn bytes(n: usize) -> Vec<u8> {
    (0..n as u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(n).collect()
}

#[test]
fn ranges_are_read_as_they_are_and_odd_keys_are_found() {
    let server = Server::start();
    let stores = stores(&server);
    let contents = bytes(100_000);
    let key = "dt=2026-01-01/a b%20ü+#&'(1)~.csv";
    server.put(key, &contents);
    server.put("other.csv", b"x");
    let object = found(&stores, key);
    assert_eq!(object.size, 100_000);
    for range in [0..1, 0..100_000, 99_999..100_000, 500..70_000] {
        let expected = &contents[range.start as usize..range.end as usize];
        assert_eq!(stores.read(&object, range).expect("read"), expected);
    }
    let listed = stores.list(&address("dt=2026-01-01")).expect("listed");
    assert_eq!(listed, [object]);
    assert_eq!(stores.list(&Address::parse("s3://bucket").expect("an address")).expect("listed").len(), 2);
}

#[test]
fn faults_that_pass_are_not_noticed() {
    let server = Server::start();
    let stores = stores(&server);
    let contents = bytes(50_000);
    server.put("e.csv", &contents);
    let object = found(&stores, "e.csv");
    server.n_requests();
    server.fail(&[Fault::Unavailable, Fault::Cut, Fault::Cut]);
    assert_eq!(stores.read(&object, 100..40_000).expect("read"), &contents[100..40_000]);
    assert_eq!(server.n_requests(), 4);
    server.fail(&[Fault::Unavailable, Fault::Cut]);
    assert_eq!(stores.list(&address("")).expect("listed").len(), 1);
    server.fail(&[Fault::Unavailable]);
    stores.write(&address("m.csv"), &mut Cursor::new(b"id\n1\n")).expect("written");
    assert_eq!(server.state.lock().expect("a lock").objects["m.csv"].0, b"id\n1\n");
}

#[test]
fn faults_that_stay_are_told_of() {
    let server = Server::start();
    let stores = stores(&server);
    server.put("e.csv", &bytes(5_000));
    let object = found(&stores, "e.csv");
    server.fail(&[Fault::Unavailable; 20]);
    let error = stores.read(&object, 0..5_000).expect_err("unavailable").to_string();
    assert_eq!(error, "the store does not answer as it should: Please reduce your request rate.");
    server.fail(&[Fault::Cut; 20]);
    let error = stores.read(&object, 0..5_000).expect_err("cut").to_string();
    assert!(error.starts_with("the store does not answer to the end: "), "{error}");
    let nowhere = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_SKIP_SIGNATURE", "true")];
    let nowhere = seg_objects::stores(nowhere.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let error = nowhere.find(&address("e.csv")).expect_err("nobody listens").to_string();
    assert!(error.starts_with("the store cannot be reached: "), "{error}");
    server.fail(&[Fault::Forbidden]);
    let error = stores.read(&object, 0..5_000).expect_err("forbidden").to_string();
    assert_eq!(error, "access is refused: Access Denied");
    server.fail(&[Fault::Forbidden]);
    let error = stores.list(&address("")).expect_err("forbidden").to_string();
    assert_eq!(error, "access is refused: Access Denied");
    let missing = Address::parse("s3://elsewhere/e.csv").expect("an address");
    assert_eq!(stores.find(&missing), Ok(None));
    assert_eq!(stores.list(&missing).expect_err("no bucket").to_string(), "there is no bucket `elsewhere`");
    assert_eq!(stores.find(&address("f.csv")), Ok(None));
}

#[test]
fn a_changed_object_is_no_object_that_was_found() {
    let server = Server::start();
    let stores = stores(&server);
    server.put("e.csv", &bytes(5_000));
    let object = found(&stores, "e.csv");
    server.put("e.csv", &bytes(6_000));
    let changed = "it was changed while it was read; run again when nobody writes it";
    assert_eq!(stores.read(&object, 0..100).expect_err("changed").to_string(), changed);
    server.state.lock().expect("a lock").is_careless = true;
    assert_eq!(stores.read(&object, 0..100).expect_err("changed").to_string(), changed);
    server.state.lock().expect("a lock").objects.clear();
    let removed = "it was removed while it was read; run again when nobody writes there";
    assert_eq!(stores.read(&object, 0..100).expect_err("removed").to_string(), removed);
}

#[test]
fn large_objects_are_there_when_all_of_them_is() {
    let server = Server::start();
    let stores = stores(&server);
    let contents = bytes(17 << 20);
    stores.write(&address("large.bin"), &mut Cursor::new(&contents)).expect("written");
    let requests = std::mem::take(&mut server.state.lock().expect("a lock").requests);
    let methods: Vec<&str> = requests.iter().filter_map(|request| request.split(' ').next()).collect();
    assert_eq!(methods, ["POST", "PUT", "PUT", "PUT", "POST"]);
    assert!(server.state.lock().expect("a lock").objects["large.bin"].0 == contents, "other bytes");
    // The third part is refused: nothing is there, and what was sent is taken back.
    server.state.lock().expect("a lock").objects.clear();
    let mut contents = Cursor::new(&contents);
    let server_of_faults = server.clone();
    let mut reader = FailAfter { contents: &mut contents, left: 9 << 20, server: &server_of_faults };
    let error = stores.write(&address("large.bin"), &mut reader).expect_err("refused").to_string();
    assert_eq!(error, "access is refused: Access Denied");
    let state = server.state.lock().expect("a lock");
    assert!(state.objects.is_empty() && state.parts.is_empty());
    assert!(state.requests.last().is_some_and(|last| last.starts_with("DELETE ")), "{:?}", state.requests);
}

/// Bytes behind which the next request is refused.
struct FailAfter<'c> {
    contents: &'c mut Cursor<&'c Vec<u8>>,
    left: usize,
    server: &'c Server,
}

impl std::io::Read for FailAfter<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let n = self.contents.read(to)?;
        if self.left > 0 && n >= self.left {
            self.server.fail(&[Fault::Forbidden]);
        }
        self.left = self.left.saturating_sub(n);
        Ok(n)
    }
}
