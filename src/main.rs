//! The `daybook` program. Everything it does stands in `daybook_cli`.

use std::process::ExitCode;

/// Commands, rows and answers are many small allocations on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    daybook_cli::run()
}
