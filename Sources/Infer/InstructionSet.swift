public import BollyGANCompute

/// A level of the hot loops: the same arithmetic for narrower or wider vectors.
public typealias InstructionSet = BollyGANCompute.InstructionSet
