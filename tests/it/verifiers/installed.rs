//! Packages for the verifiers, from PyPI and npm, in a folder made anew by each run.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

/// The folder of the verifiers and of the lists of packages.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("verifiers")
}

/// A folder with a Python environment and Node modules.
pub(crate) struct Installed {
    pub(crate) folder: PathBuf,
}

impl Installed {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verifiers");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let installed = Self { folder };
        installed.run("python3 -m venv venv");
        for file in ["requirements.txt", "package.json", "package-lock.json"] {
            std::fs::copy(here().join(file), installed.folder.join(file))
                .expect("the list of packages is copied");
        }
        installed.run("pip install --quiet --disable-pip-version-check -r requirements.txt");
        installed.run("npm ci --silent --no-audit --no-fund");
        installed
    }

    fn run(&self, line: &str) {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().expect("a program"));
        let command = command.args(words).env("PATH", self.path());
        must(&run(command.current_dir(&self.folder), b""));
    }

    /// The folders of programs: the Python environment first.
    pub(crate) fn path(&self) -> OsString {
        let mut path = self.folder.join("venv/bin").into_os_string();
        path.push(":");
        path.push(system_path());
        path
    }
}

/// Installs everything once for all tests.
pub(crate) fn installed() -> &'static Installed {
    static INSTALLED: LazyLock<Installed> = LazyLock::new(Installed::new);
    &INSTALLED
}

/// Whether a program is installed.
pub(crate) fn is_there(program: &str) -> bool {
    let path = system_path();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[allow(clippy::disallowed_methods, reason = "the path of the test runner")]
fn system_path() -> String {
    std::env::var("PATH").expect("programs are found")
}

/// Runs a program with `input`.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("the input is piped");
    stdin.write_all(input).expect("the program reads the input");
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

/// The output of a program. Panics with the errors of a failed program.
pub(crate) fn must(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
