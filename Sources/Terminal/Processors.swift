internal import BollyGANKernels

/// The processors that this process may use, at least 1: what `--threads` is by default.
///
/// Fewer than the machine has where `taskset` or a container says so.
package let processorCount = Int(bg_processors())
