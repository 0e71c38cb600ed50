/// The traits of one face. All random choices are made here.
///
/// The unit of length is half of the image's side, and the origin is the middle of the head.
struct CartoonFace {
  enum Hair {
    case bald, buzzed, short, sidePart, quiff, curly, afro, bob, long, wavy, bun, fringe
  }
  enum Beard { case none, stubble, moustache, goatee, full }
  enum Glasses { case none, round, square, dark }
  enum Mouth { case closed, smile, open }
  enum Nose: CaseIterable { case side, button, broad }
  enum Clothes: CaseIterable { case round, vee, collar, high }

  // Position
  let frame: Frame
  /// The offset by which features move as the face turns.
  let turn: Point

  // Light
  /// Unit vector from the face towards the light.
  let light: Point
  let contrast: Float
  let warmth: Float

  // Colours
  let skin: Colour
  let hairColour: Colour
  let irisColour: Colour
  let lipColour: Colour
  let clothColour: Colour
  let background: (Colour, Colour)
  let backgroundDirection: Point
  let discs: [(centre: Point, radius: Float)]

  // Head
  let headWidth: Float
  let crown: Float
  let chin: Float
  let jaw: Float
  let squareness: Float

  // Features
  let eyeGap: Float
  let eyeSize: Point
  let eyeHeight: Float
  let eyeTilt: Float
  let gaze: Point
  let lashes: Float
  let browLift: Float
  let browArch: Float
  let browWidth: Float
  let nose: Nose
  let noseSize: Point
  let mouth: Mouth
  let mouthHeight: Float
  let mouthWidth: Float
  let smile: Float
  let lipFullness: Float
  let blush: Float
  let freckles: [Point]
  let mole: Point?

  // Hair, beard and clothes
  let hair: Hair
  let hairVolume: Float
  let hairline: Float
  let parting: Float
  let curls: [(centre: Point, radius: Float)]
  let beard: Beard
  let glasses: Glasses
  let frameColour: Colour
  let earrings: Bool
  let clothes: Clothes

  private static let skins: [UInt32] = [
    0xf6d7c3, 0xf2c9ac, 0xeabb98, 0xe0a984, 0xd69a70, 0xc98a5f, 0xb87850, 0xa36640, 0x8b5534,
    0x74452a, 0x5d3722, 0x4a2b1c,
  ]
  private static let hairs: [(UInt32, Float)] = [
    (0x17130f, 6), (0x2a1d15, 6), (0x41291a, 5), (0x5b3821, 4), (0x7a4a26, 3), (0x9a6a35, 2),
    (0xc79a57, 2), (0xe0c184, 1.5), (0x8c3b1c, 1.5), (0xb5562a, 1), (0x9b9692, 1.5),
    (0xdcd8d2, 1), (0x2f6f83, 0.4), (0xb24a7c, 0.4), (0x5a4a9c, 0.3),
  ]
  private static let irises: [(UInt32, Float)] = [
    (0x2e1a10, 5), (0x4a2c17, 5), (0x6f4a22, 3), (0x7d7a36, 2), (0x55803f, 1.5), (0x4f86a8, 2),
    (0x7f98a5, 1.5),
  ]
  private static let cloths: [UInt32] = [
    0x2c3e60, 0x7c2f3b, 0x2f6b55, 0xd9b44a, 0xe8e4da, 0x30302f, 0x8a5aa0, 0xc9663f, 0x5d8fb5,
    0xb0566f, 0x8b8f4b, 0x55606b, 0xe39ab0, 0x3f8f8a,
  ]
  private static let grounds: [UInt32] = [
    0x9cc4d9, 0xc9d8c0, 0xe6d3b8, 0xd8b9b4, 0x7a8fa6, 0x5c6f65, 0xb3a7c9, 0x41495a, 0xf0e6da,
    0xd79a6b, 0x86a98d, 0x35556e, 0xc7c3bd, 0x6d4f57, 0x94b7b0, 0xe8c87a,
  ]

  init(_ random: inout RandomChoices) {
    // One dial for traits that tend to occur together. Each trait still varies by itself.
    let dial = random.unit()
    let softness = smoothStep(0.3, 0.7, dial)

    frame = Frame(
      tangent: random.bell() * 0.10,
      offset: Point(random.bell() * 0.11, 0.03 + random.bell() * 0.09),
      scale: 1.13 + random.bell() * 0.13)
    turn = Point(random.bell() * 0.16, random.bell() * 0.08)

    let across = random.between(-1, 1)
    let lightDirection = Point(across, -random.between(0.35, 1))
    light = lightDirection / lightDirection.length
    contrast = random.between(0.10, 0.32)
    warmth = random.bell() * 0.06

    let tone = random.between(0, Float(Self.skins.count) - 1.001)
    let nearest = Int(tone)
    skin = Colour(hex: Self.skins[nearest]).mixed(
      with: Colour(hex: Self.skins[nearest + 1]), tone - Float(nearest))
    let darkness = tone / Float(Self.skins.count)
    // Fair hair and light eyes become rarer as skin gets darker.
    let hairs = Self.hairs.enumerated().map { i, hair in
      (hair.0, hair.1 * (i < 4 ? 1 : 1 - 0.85 * darkness))
    }
    hairColour = Colour(hex: random.one(weighted: hairs)) * random.between(0.9, 1.12)
    let irises = Self.irises.enumerated().map { i, iris in
      (iris.0, iris.1 * (i < 2 ? 1 : 1 - 0.9 * darkness))
    }
    irisColour = Colour(hex: random.one(weighted: irises)) * random.between(0.9, 1.15)
    let painted = random.happens(0.1 + 0.45 * softness)
    let lip = Colour(hex: random.one(of: [0xb23a48, 0xc75b5b, 0x9c2f45, 0xd0716b, 0x8a2f3a]))
    lipColour = (skin * Colour(0.86, 0.62, 0.60)).mixed(with: lip, painted ? 0.65 : 0.18)
    clothColour = Colour(hex: random.one(of: Self.cloths)) * random.between(0.85, 1.1)
    background = (
      Colour(hex: random.one(of: Self.grounds)) * random.between(0.85, 1.08),
      Colour(hex: random.one(of: Self.grounds)) * random.between(0.85, 1.08)
    )
    let slope = Point(random.between(-1, 1), random.between(-1, 1))
    backgroundDirection = slope / max(0.3, slope.length)
    let discCount = random.happens(0.35) ? 3 + Int(random.unit() * 4) : 0
    discs = (0..<discCount).map { _ in
      (Point(random.between(-1.1, 1.1), random.between(-1.1, 0.6)), random.between(0.08, 0.35))
    }

    headWidth = 0.54 + random.bell() * 0.08
    crown = 0.62 + random.bell() * 0.07
    chin = 0.67 + random.bell() * 0.09
    jaw = 0.14 + 0.10 * softness + random.bell() * 0.16
    squareness = min(0.8, max(0, 0.34 - 0.22 * softness + random.bell() * 0.4))

    eyeGap = 0.245 + random.bell() * 0.04
    eyeSize = Point(0.115 + random.bell() * 0.025, 0.055 + 0.008 * softness + random.bell() * 0.024)
    eyeHeight = random.bell() * 0.06
    eyeTilt = -0.05 + random.bell() * 0.2
    gaze = Point(random.bell() * 0.45, random.bell() * 0.25)
    lashes = max(0, softness * random.between(0.3, 1.2) + random.bell() * 0.2)
    browLift = 0.155 + random.bell() * 0.045
    browArch = 0.035 + random.bell() * 0.05
    browWidth = 0.024 - 0.009 * softness + random.bell() * 0.011
    nose = random.one(of: Nose.allCases)
    noseSize = Point(0.085 + random.bell() * 0.035, 0.24 + random.bell() * 0.06)
    mouth = random.one(weighted: [(.closed, 4), (.smile, 3), (.open, 2)])
    mouthHeight = 0.40 + random.bell() * 0.045
    mouthWidth = 0.185 + random.bell() * 0.06
    smile = 0.035 + random.bell() * 0.065
    lipFullness = max(0.012, 0.024 + 0.008 * softness + random.bell() * 0.014)
    blush = max(0, random.between(0, 0.25) + 0.15 * softness)
    let freckled = random.happens(0.12 * (1 - darkness))
    freckles = (0..<(freckled ? 26 : 0)).map { _ in
      Point(random.bell() * 0.42, 0.17 + random.bell() * 0.15)
    }
    mole =
      random.happens(0.1) ? Point(random.between(-0.35, 0.35), random.between(0.1, 0.45)) : nil

    hair = random.one(weighted: [
      (.bald, 0.9 * (1 - softness)), (.buzzed, 1.2 * (1 - softness)),
      (.short, 2.6 * (1 - softness)),
      (.sidePart, 2.2 - 1.6 * softness), (.quiff, 1.6 * (1 - softness)), (.curly, 1.4),
      (.afro, 0.9), (.bob, 0.2 + 1.8 * softness), (.long, 0.15 + 2.6 * softness),
      (.wavy, 0.1 + 2.4 * softness), (.bun, 0.05 + 1.2 * softness), (.fringe, 0.1 + 1.6 * softness),
    ])
    hairVolume = 0.10 + random.bell() * 0.05
    hairline = -0.33 + random.bell() * 0.09
    parting = random.between(-0.32, 0.32)
    let ringCount = hair == .afro ? 30 : 22
    curls = (0..<ringCount).map { i in
      // Evenly spaced around the head with some jitter. Only the upper part is used.
      let turns = (Float(i) + random.between(-0.3, 0.3)) / Float(ringCount)
      let around = Point(wave(turns), wave(turns + 0.25))
      return (around, random.between(0.8, 1.2))
    }

    beard = random.one(weighted: [
      (.none, 2 + 60 * softness), (.stubble, 1.6), (.moustache, 0.7), (.goatee, 0.7), (.full, 1.2),
    ])
    glasses = random.one(weighted: [(.none, 7.5), (.round, 1), (.square, 1), (.dark, 0.5)])
    frameColour = Colour(
      hex: random.one(of: [0x1d1b1a, 0x5a3a22, 0x8f7a52, 0x2a3550, 0x6d2630, 0xb9b9bd]))
    earrings = random.happens(0.03 + 0.4 * softness)
    clothes = random.one(of: Clothes.allCases)
  }
}
