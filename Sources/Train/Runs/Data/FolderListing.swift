import BollyGANModel

/// The image files below a folder, in the order of torchvision's `ImageFolder`.
///
/// Subfolders ("classes") are sorted by name; within each, all folders are sorted by path, and
/// within those the files by name. Images directly in the folder, which `ImageFolder` ignores, come
/// first. Names that start with a dot are skipped silently.
///
/// - SeeAlso: torchvision 0.29.2, `datasets/folder.py`, `find_classes` and `make_dataset`.
package struct FolderListing: Sendable {
  /// A file or folder that is not used, and why.
  package struct Skipped: Hashable, Sendable {
    /// The path relative to the data folder.
    package let name: BytePath
    /// Why it is not used.
    package let reason: String

    package init(name: BytePath, reason: String) {
      self.name = name
      self.reason = reason
    }
  }

  /// File name extensions of images, in any case: torchvision's `IMG_EXTENSIONS`.
  package static let pictureExtensions = [
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp",
  ]

  /// Files with an image extension.
  package private(set) var pictures: [BytePath] = []
  /// All other files.
  package private(set) var others: [BytePath] = []
  /// Folders that cannot be read, and links to folders that contain them.
  package private(set) var unreadable: [Skipped] = []

  /// Lists a folder and all folders below it, links followed.
  ///
  /// - Throws: `FileError` if the folder itself cannot be listed. Folders below it that cannot be
  ///   listed are in ``unreadable``.
  package init(folder: String) throws(FileError) {
    let root = Array(folder.utf8)
    let top = try Self.contents(of: root)
    let identity = try FileSystem.status(of: root).identity
    add(top.files, in: BytePath(""))
    for name in top.folders {
      var found: [(folder: BytePath, files: [[UInt8]])] = []
      collect(BytePath(bytes: name), below: root, inside: [identity], into: &found)
      for (folder, files) in found.sorted(by: { $0.folder < $1.folder }) { add(files, in: folder) }
    }
  }

  private mutating func add(_ files: [[UInt8]], in folder: BytePath) {
    for file in files {
      if Self.isPicture(file) {
        pictures.append(folder.appending(file))
      } else {
        others.append(folder.appending(file))
      }
    }
  }

  private mutating func collect(
    _ folder: BytePath, below root: [UInt8], inside: [FileSystem.Identity],
    into found: inout [(folder: BytePath, files: [[UInt8]])]
  ) {
    let path = root + [UInt8(ascii: "/")] + folder.bytes
    do {
      let identity = try FileSystem.status(of: path).identity
      guard !inside.contains(identity) else {
        unreadable.append(Skipped(name: folder, reason: "links to a folder that contains it"))
        return
      }
      let contents = try Self.contents(of: path)
      found.append((folder, contents.files))
      for name in contents.folders {
        collect(folder.appending(name), below: root, inside: inside + [identity], into: &found)
      }
    } catch {
      unreadable.append(Skipped(name: folder, reason: "\(error)"))
    }
  }

  /// The subfolders and files directly in a folder, sorted. Everything that is not a folder counts
  /// as a file, even a broken link, so that the attempt to read it reports its name.
  private static func contents(
    of folder: [UInt8]
  ) throws(FileError) -> (folders: [[UInt8]], files: [[UInt8]]) {
    var folders: [[UInt8]] = []
    var files: [[UInt8]] = []
    for name in try FileSystem.names(in: folder) where name.first != UInt8(ascii: ".") {
      let found = try? FileSystem.status(of: folder + [UInt8(ascii: "/")] + name)
      if found?.kind == .folder { folders.append(name) } else { files.append(name) }
    }
    return (folders.sorted(by: precedes), files.sorted(by: precedes))
  }

  private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.lexicographicallyPrecedes(right)
  }

  private static func isPicture(_ name: [UInt8]) -> Bool {
    let lowered = name.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    return pictureExtensions.contains { lowered.suffix($0.utf8.count).elementsEqual($0.utf8) }
  }
}
