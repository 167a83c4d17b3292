//! One external command: shown before it runs, timed, and named when it fails.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use xshell::Cmd;

use crate::failure::Failure;

/// A command with the text that a person would type to run it alone.
#[derive(Debug)]
pub(crate) struct Job {
    command: Command,
    shown: String,
}

impl Job {
    /// Takes over the command, its directory and its environment. Its standard input is empty.
    pub(crate) fn new(cmd: Cmd<'_>) -> Self {
        let shown = cmd.to_string();
        let mut command = Command::from(cmd);
        command.stdin(Stdio::null());
        Self { command, shown }
    }

    /// Sets a variable, which then also shows in front of the command.
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref();
        self.shown = format!("{key}={value:?} {}", self.shown);
        self.command.env(key, value);
        self
    }

    /// Runs in another directory.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.shown = format!("cd {} && {}", dir.display(), self.shown);
        self.command.current_dir(dir);
        self
    }

    /// The command as a person would type it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Runs with the output going to ours.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let started = self.announce();
        let status = self
            .command
            .status()
            .map_err(|error| self.did_not_start(&error))?;
        self.finish(status, started)
    }

    /// Runs with the output going to ours, and hands each line of standard output to `each`.
    pub(crate) fn tee(mut self, each: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        let started = self.announce();
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| self.did_not_start(&error))?;
        if let Some(stdout) = child.stdout.take() {
            let mut reader = BufReader::new(stdout);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
                // Not `print!`: a closed standard output must not become a panic here.
                let _ = std::io::stdout().write_all(&line);
                each(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        }
        let status = child.wait().map_err(|error| self.did_not_start(&error))?;
        self.finish(status, started)
    }

    /// Runs silently and hands back whatever came of it; a bad exit is the caller's to judge.
    pub(crate) fn output(mut self) -> Result<Output, Failure> {
        self.command
            .output()
            .map_err(|error| self.did_not_start(&error))
    }

    /// As [`output`](Self::output), but ends the command after `limit`: then there is `None`.
    pub(crate) fn output_within(mut self, limit: Duration) -> Result<Option<Output>, Failure> {
        let started = Instant::now();
        let child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().map_err(|error| self.did_not_start(&error))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        thread::scope(|scope| {
            // A full pipe would stop the child, so both are emptied while it runs.
            let stdout = scope.spawn(|| all_of(stdout));
            let stderr = scope.spawn(|| all_of(stderr));
            let status = loop {
                match child.try_wait() {
                    Ok(Some(status)) => break Some(status),
                    Ok(None) if started.elapsed() < limit => {
                        thread::sleep(Duration::from_millis(5));
                    }
                    Ok(None) => {
                        let _ = child.kill();
                        let _ = child.wait();
                        break None;
                    }
                    Err(error) => return Err(self.did_not_start(&error)),
                }
            };
            let (stdout, stderr) = (stdout.join(), stderr.join());
            Ok(status.map(|status| Output {
                status,
                stdout: stdout.unwrap_or_default(),
                stderr: stderr.unwrap_or_default(),
            }))
        })
    }

    /// Runs silently and returns standard output; a bad exit shows everything and fails.
    pub(crate) fn text(mut self) -> Result<String, Failure> {
        let output = self
            .command
            .output()
            .map_err(|error| self.did_not_start(&error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        eprintln!("{}", both_streams(&output).trim_end());
        Err(self.ended_badly(output.status))
    }

    /// Runs with standard error going to ours, and returns standard output.
    pub(crate) fn stdout(mut self) -> Result<String, Failure> {
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.did_not_start(&error))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(self.ended_badly(output.status))
        }
    }

    fn announce(&self) -> Instant {
        println!("$ {}", self.shown);
        // The child writes to the same pipe or terminal: what we said must be there before it.
        let _ = std::io::stdout().flush();
        Instant::now()
    }

    fn finish(&self, status: ExitStatus, started: Instant) -> Result<(), Failure> {
        println!("  took {:.1} s", started.elapsed().as_secs_f64());
        if status.success() {
            Ok(())
        } else {
            Err(self.ended_badly(status))
        }
    }

    fn ended_badly(&self, status: ExitStatus) -> Failure {
        Failure::failed(format!("{status} from: {}", self.shown))
    }

    fn did_not_start(&self, error: &std::io::Error) -> Failure {
        Failure::failed(format!("could not start: {} ({error})", self.shown))
    }
}

/// What a stream holds up to its end.
fn all_of(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What was read before an error is still worth showing.
        let _ = stream.read_to_end(&mut bytes);
    }
    bytes
}

/// Both streams of a finished command, as text.
pub(crate) fn both_streams(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use xshell::{Shell, cmd};

    #[test]
    fn a_command_that_cannot_start_is_named() {
        let sh = Shell::new().unwrap();
        let failure = Job::new(cmd!(sh, "thrifty-no-such-program --flag"))
            .env("KEY", "value")
            .text()
            .unwrap_err();
        let text = failure.to_string();
        assert!(
            text.contains("KEY=\"value\" thrifty-no-such-program --flag"),
            "{text}"
        );
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let sh = Shell::new().unwrap();
        let within = |limit| Job::new(cmd!(sh, "cargo --version")).output_within(limit);
        let output = within(Duration::from_secs(60)).unwrap().unwrap();
        assert!(both_streams(&output).starts_with("cargo "));
        assert_eq!(within(Duration::ZERO), Ok(None));
    }

    #[test]
    fn a_bad_exit_is_a_failure_and_a_good_one_is_not() {
        let sh = Shell::new().unwrap();
        assert!(Job::new(cmd!(sh, "cargo --version")).text().is_ok());
        let failure = Job::new(cmd!(sh, "cargo --no-such-flag")).text();
        assert!(matches!(failure, Err(Failure::Failed(_))));
    }
}
