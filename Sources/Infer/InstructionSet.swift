public import BollyGANCompute

/// An instruction set that the hot loops are compiled for: the same arithmetic, on narrower or
/// wider vectors.
public typealias InstructionSet = BollyGANCompute.InstructionSet
