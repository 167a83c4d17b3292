//! How a command ends when it does not end well.

use core::fmt;

/// Why a command stopped, and with it the exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The caller asked for something that does not exist. Exit 2.
    Usage(String),
    /// A check failed, or a command that it needs did. Exit 1.
    Failed(String),
}

impl Failure {
    /// A failed check.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// A request that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// The process's exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Failed(message) => out.write_str(message),
        }
    }
}

impl From<xshell::Error> for Failure {
    fn from(error: xshell::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
