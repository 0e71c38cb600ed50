internal import BollyGANKernels

/// The number of processors that this process may use, at least 1: the default of `--threads`.
///
/// It is smaller than the machine's number under `taskset` or in a limited container.
package let processorCount = Int(bg_processors())
