//! The program; everything is in the library.

fn main() -> std::process::ExitCode {
    classy_sync::cli::main()
}
