/// What a recipe may do beyond the DCGAN of 2015; nothing of it in `tutorial` and `article`.
public struct Techniques: Hashable, Sendable, Codable {
  /// Changes that every picture undergoes before the discriminator sees it.
  public var augmentation: Augmentation = []

  /// None of them.
  public init() {}

  /// None of them: a DCGAN as it was.
  public static let none = Techniques()

  /// What a file does not name is not used: files from before a technique was known stay readable.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(
      _ place: WritableKeyPath<Techniques, Value>, _ key: CodingKeys
    ) throws {
      if let value = try container.decodeIfPresent(Value.self, forKey: key) {
        self[keyPath: place] = value
      }
    }
    try read(\.augmentation, .augmentation)
  }
}

extension KeyedDecodingContainer {
  /// Read by the recipe's synthesised initialiser: a recipe that names no techniques has none.
  func decode(_ type: Techniques.Type, forKey key: Key) throws -> Techniques {
    try decodeIfPresent(type, forKey: key) ?? .none
  }
}
