//! How a command ends, as an exit code. Source: product description, *Commands*.

use std::process::ExitCode;

/// The three exit codes that every command uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// 0
    Fine,
    /// 1: the document or the system falls short.
    FallsShort,
    /// 2: wrong usage, unreadable input, or a world that does not play along.
    CouldNot,
}

impl Ending {
    /// [`Ending::Fine`] if so, else [`Ending::FallsShort`].
    pub(crate) const fn fine_if(fine: bool) -> Self {
        if fine { Self::Fine } else { Self::FallsShort }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Fine => 0,
            Ending::FallsShort => 1,
            Ending::CouldNot => 2,
        })
    }
}

/// Whether the reader of our output has gone away (`formwork export … | head`): no fault of anybody.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
