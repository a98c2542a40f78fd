//! The publishers with their packages installed, or compiled, in a folder that the next run uses again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::verifiers::{must, run};

/// RabbitMQ's client for Java, with a logger, as Debian installs them.
pub(super) const JAVA_LIBRARIES: &str = "/usr/share/java/amqp-client.jar:\
    /usr/share/java/slf4j-api.jar:/usr/share/java/slf4j-nop.jar";

/// Go packages, as Debian installs them.
const GO_PACKAGES: &str = "/usr/share/gocode";

/// The folder of the prepared publishers, with a folder for each language. Blocks for some seconds at
/// the first call.
pub(super) fn prepared() -> &'static Path {
    static PREPARED: LazyLock<PathBuf> = LazyLock::new(prepare_all);
    &PREPARED
}

fn prepare_all() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("publishers");
    // Downloads wait for the network while compilers compute.
    std::thread::scope(|scope| {
        let folder = &folder;
        for prepare in [prepare_python, prepare_node, prepare_go, prepare_java] {
            scope.spawn(move || prepare(folder));
        }
    });
    folder
}

fn prepare_python(folder: &Path) {
    let folder = copy(folder, "python", &["publish.py", "requirements.txt"]);
    if !folder.join("venv/bin/pip").exists() {
        call(&folder, "python3", &["-m", "venv", "venv"]);
    }
    let pip = folder.join("venv/bin/pip");
    let install = "install --quiet --disable-pip-version-check -r requirements.txt";
    let words: Vec<&str> = install.split(' ').collect();
    call(&folder, pip.to_str().expect("UTF-8"), &words);
}

fn prepare_node(folder: &Path) {
    let folder = copy(folder, "node", &["publish.js", "package.json"]);
    let install = "install --silent --no-audit --no-fund --prefer-offline";
    let words: Vec<&str> = install.split(' ').collect();
    call(&folder, "npm", &words);
}

fn prepare_go(folder: &Path) {
    let folder = copy(folder, "go", &["publish.go"]);
    // Without modules Go takes packages from Debian's folder, and asks no network.
    let mut go = Command::new("go");
    let go = go
        .envs([("GO111MODULE", "off"), ("GOPATH", GO_PACKAGES)])
        .args(["build", "-o", "publish", "publish.go"]);
    must(&run(go.current_dir(&folder), b""));
}

fn prepare_java(folder: &Path) {
    let folder = copy(folder, "java", &["Publish.java"]);
    call(&folder, "javac", &["-cp", JAVA_LIBRARIES, "Publish.java"]);
}

/// Copies files of a language, and returns the folder of the copies: packages do not belong beside the
/// examples.
fn copy(folder: &Path, language: &str, files: &[&str]) -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let folder = folder.join(language);
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in files {
        let copied = std::fs::copy(examples.join(language).join(file), folder.join(file));
        copied.expect("the example is copied");
    }
    folder
}

/// Runs a program in a folder. Panics with the errors of a failed program.
fn call(folder: &Path, program: &str, words: &[&str]) {
    let mut command = Command::new(program);
    must(&run(command.args(words).current_dir(folder), b""));
}
