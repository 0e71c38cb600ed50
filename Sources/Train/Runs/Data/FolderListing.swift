import BollyGANModel
import BollyGANTraining

/// The picture files below a folder, in the order in which torchvision's `ImageFolder` has them.
///
/// The subfolders ("classes") come sorted by name; in each, all folders below sorted by path, and
/// in each of those the files sorted by name. Pictures that lie in the folder itself, which
/// `ImageFolder` passes over, come first. Names that begin with a dot are left out without a word.
///
/// - SeeAlso: torchvision 0.29.2, `datasets/folder.py`, `find_classes` and `make_dataset`.
package struct FolderListing: Sendable {
  /// A folder or file that is not used, and why.
  package struct Skipped: Hashable, Sendable {
    package let name: FileName
    package let reason: String

    package init(name: FileName, reason: String) {
      self.name = name
      self.reason = reason
    }
  }

  /// Endings that make a file a picture, whatever case they are in; torchvision's `IMG_EXTENSIONS`.
  package static let pictureEndings = [
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp",
  ]

  /// Files that are pictures by their names.
  package private(set) var pictures: [FileName] = []
  /// Files that are not.
  package private(set) var others: [FileName] = []
  /// Folders that cannot be read or that contain themselves.
  package private(set) var unreadable: [Skipped] = []

  /// Lists a folder and all folders below it, links followed.
  ///
  /// - Throws: ``FileError`` where the folder itself cannot be listed; what lies below and
  ///   cannot is in ``unreadable``.
  package init(folder: String) throws(FileError) {
    let root = Array(folder.utf8)
    let top = try Self.contents(of: root)
    let identity = try FileSystem.look(at: root).identity
    add(top.files, in: FileName(""))
    for name in top.folders {
      var found: [(folder: FileName, files: [[UInt8]])] = []
      collect(FileName(bytes: name), below: root, inside: [identity], into: &found)
      for (folder, files) in found.sorted(by: { $0.folder < $1.folder }) { add(files, in: folder) }
    }
  }

  private mutating func add(_ files: [[UInt8]], in folder: FileName) {
    for file in files {
      if Self.isPicture(file) {
        pictures.append(folder.appending(file))
      } else {
        others.append(folder.appending(file))
      }
    }
  }

  private mutating func collect(
    _ folder: FileName, below root: [UInt8], inside: [FileSystem.Identity],
    into found: inout [(folder: FileName, files: [[UInt8]])]
  ) {
    let path = root + [UInt8(ascii: "/")] + folder.bytes
    do {
      let identity = try FileSystem.look(at: path).identity
      guard !inside.contains(identity) else {
        unreadable.append(Skipped(name: folder, reason: "a link to a folder that contains it"))
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

  /// Subfolders and files directly in a folder, sorted; what is no folder counts as a file, a
  /// broken link as well, so that its name is said when it cannot be read.
  private static func contents(
    of folder: [UInt8]
  ) throws(FileError) -> (folders: [[UInt8]], files: [[UInt8]]) {
    var folders: [[UInt8]] = []
    var files: [[UInt8]] = []
    for name in try FileSystem.names(in: folder) where name.first != UInt8(ascii: ".") {
      let found = try? FileSystem.look(at: folder + [UInt8(ascii: "/")] + name)
      if found?.kind == .folder { folders.append(name) } else { files.append(name) }
    }
    return (folders.sorted(by: precedes), files.sorted(by: precedes))
  }

  private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.lexicographicallyPrecedes(right)
  }

  private static func isPicture(_ name: [UInt8]) -> Bool {
    let lowered = name.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    return pictureEndings.contains { lowered.suffix($0.utf8.count).elementsEqual($0.utf8) }
  }
}
