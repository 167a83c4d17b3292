//! How a program of this package ends when it cannot go on: one clear line and a code.

use core::fmt;
use std::{io, process::ExitCode};

/// One line for standard error, and the exit code that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// What was asked for cannot be done: a wrong flag, a file that is not there.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }

    /// It was tried and did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }

    /// Writes the line to standard error and gives the code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        eprintln!("error: {}", self.message);
        ExitCode::from(self.code)
    }

    /// What clap says of wrong arguments, cut to one line.
    #[must_use]
    pub fn from_clap(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut message = lines.next().unwrap_or("wrong arguments").to_owned();
        if message.ends_with(':') {
            message.push(' ');
            message.push_str(lines.next().unwrap_or(""));
        }
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        Self::usage(format!("{message} (--help tells more)"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Failure {}

/// Writes to standard output; a reader that has gone away (`| head`) is no failure.
///
/// # Errors
///
/// When standard output cannot be written to for another reason.
pub fn print(text: &str) -> Result<(), Failure> {
    use io::Write;
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write the result: {error}")))
        }
        _ => Ok(()),
    }
}
