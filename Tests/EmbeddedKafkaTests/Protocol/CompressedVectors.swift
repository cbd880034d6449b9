import Foundation
import NIOCore

/// What the reference implementations wrote: the command lz4 1.9.4, and the snappy of the Rust crate in cramjam.
enum CompressedVectors {
    /// `record <i mod 97> of order <i * i mod 13>;` for so many i.
    static func text(_ count: Int) -> String {
        (0..<count).map { "record \($0 % 97) of order \($0 * $0 % 13);" }.joined()
    }

    /// Of `text(30)`.
    static let snappySmall = vector(
        """
        9ARMcmVjb3JkIDAgb2Ygb3JkZXIgMDsNFAAxGRQAMREUADIZFAA0ERQAMxkUADkRFAA0GRQAMxEUADUZFAQxMhEVADYdFRV6ADdOFQAAOB0V\
        FT8AORkVFWgAMR3NFZEAMR3OFboAMR3PFeMAMR3QFZIAMR3RGSod0hlUHdIZfh3SGahS0gAAMR3TORIAMh3UHRYd1TkUBDIyShUBADId1hWX\
        ADId1hXBADId1hXrADId1jUVADId1hkqHdYZVDA5IG9mIG9yZGVyIDk7
        """
    )

    /// Of `text(30)`, in blocks of 400 bytes.
    static let xerialSmall = vector(
        """
        glNOQVBQWQAAAAABAAAAAQAAAIaQA0xyZWNvcmQgMCBvZiBvcmRlciAwOw0UADEZFAAxERQAMhkUADQRFAAzGRQAOREUADQZFAAzERQANRkU\
        BDEyERUANh0VFXoAN04VAAA4HRUVPwA5GRUVaAAxHc0VkQAxHc4VugAxHc8V4wAxHdAVkgAxHdEZKh3SGVQd0hl+HdIZqE7SAAAAAGbkAWAg\
        MTkgb2Ygb3JkZXIgMTA7cmVjb3JkIDIwUhYAADEdFgAyFSwAMhkWADMVFQAzGRUAORUVADQZFQA0FRUENSAZgRUVADYZFRmVADcZFRkqADgZ\
        FRlUMDkgb2Ygb3JkZXIgOTs=
        """
    )

    /// Of `text(30)`.
    static let lz4Small = vector(
        """
        BCJNGGRAp+EAAADzBXJlY29yZCAwIG9mIG9yZGVyIDA7FAAWMRQAFDEUABYyFAAUNBQAFjMUABQ5FAAWNBQAFDMUABY1FAAkMTIVABc2FQAF\
        egAfNxUAARc4FQAFPwAWORUABWgAFzHNAAWRABcxzgAFugAXMc8ABeMAFzHQAAWSABcx0QAGKgAH0gAGVAAH0gAGfgAH0gAGqAAP0gACFzHT\
        ABUxgAAXMtQABxYAB9UABlMBFzLWAAVtABcy1gAFlwAXMtYABcEAFzLWAAXrABcy1gAGlQAH1gAGKgAH1gAGVAAE1QBQZXIgOTsAAAAAAzwZ\
        CQ==
        """
    )

    /// Of the bytes 0 to 63, which can't be made smaller.
    static let lz4Stored = vector(
        """
        BCJNGGRAp0AAAIAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/AAAAADUE\
        EjE=
        """
    )

    /// Of `text(60)` 120 times: independent blocks of 64 KiB.
    static let lz4Independent = vector(
        """
        BCJNGGRAp2cCAADzBXJlY29yZCAwIG9mIG9yZGVyIDA7FAAWMRQAFDEUABYyFAAUNBQAFjMUABQ5FAAWNBQAFDMUABc1UAAUMhUAFzYVAAV6\
        AB83FQABHzg/AAEfOWgAAC8xMJEAAC8xMboAAC8xMuMAAC8xMwwBAR80KgABHzVUAAEfNn4AAR83qAABD9IAAi8xOf0AAS8yMBYAAh8xQgAB\
        LzIybQAAHzKmAQEvMjTBAAAvMjX4AQEfNhUBAC8yNyoAAR84VAABHzl+AAAvMzCoAAAfM9MAAi8zMv8AAS8zMxYAAh80QgACHzVtAAEPrAEB\
        LzM35AIBHzjrAAAvMzkVAQAvNDAqAAAfNH4CAS80MjkDAR8zqAAAHzTTAAIvNDX/AAEfNFIDAi80N0IAAh84bQABD6wBAS81MMEAAB81IgQB\
        LzUyFQEALzUzKgABD34CAS81NX4AAR82TwQBD9MAAi81OP8AAR41VQMP9QT/////////////////////////////////////////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        /////////////////////////////////////////////////////////////////////+pQIG9yZGViAgAA9AlyIDE7cmVjb3JkIDM5IG9m\
        IG9yZGVyIDAVACY0MBUABSoAJjQxFQAVNBUAFjIVABU5FQAWMxUAFTMVABc0VAAVMhYAFzUWAAaAAB82FgACHzdCAAIfOG0AAR85lwAALzUw\
        wQAALzUx6wAALzUyFQEALzUzKgABHzRUAAEfNX4AAR82qAAAHzXTAAIvNTj/AAEvNTkWAAEfMKoAAA/TAAEfMqgAAB8zvAEBD6YAAQ+lAAEP\
        owECHzcVAAEfOD8AAR85aAAALzEwkQAAHzF3AgEvMTLjAAAvMTMMAQEfNCoAAR81VAABHzZ+AAEfN6gAAQ/SAAIfMaABAi8yMBYAAh8xQgAB\
        LzIybQAAHzKmAQEfMncCAS8yNfgBAR82FQEALzI3KgABHzhUAAEPSQMBLzMwqAAAHzPTAAIvMzL/AAEvMzMWAAIPIgQCLzM1bQABD6wBAS8z\
        N+QCAQisAQ/1BP//////////////////////////////////////////////////////////////////////////////////////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        ////////////////////////61Agb2Ygb7kBAADxBnJkZXIgMztyZWNvcmQgMTggb2YgbxUAJTEyFgAXORYAFDAWAC8yMBYAAh8xQgABJjIy\
        FgAFbQAmMjMVABU5FQAWNBUAFTQVABc1VQAFFQAWNhUABn8AHzcqAAEfOFQAAR85fgAALzMwqAAAHzPTAAIvMzL/AAEvMzMWAAIfNEIAAh81\
        bQABHzaXAAEfN8EAAC8zOOsAAC8zORUBAC80MCoAAC80MVQAAC80Mn4AAC80M6gAAB800wACLzQ1/wABLzQ2FgACHzdCAAIfOG0AAQ+sAQEv\
        NTDBAAAvNTHrAAAvNTIVAQAvNTMqAAEPfgIBLzU1fgABHzaoAAAfNdMAAi81OP8AAR81VQMCHzCqAAAP0wABHzIRAgEPvAEBD6YAAQ+lAAEP\
        owECHzcVAAEPIwQCHzloAAAvMTCRAAAfMXcCAS8xMuMAAC8xMwwBAR80KgABHzVUAAEPSQMBFzHSAA/1BP//////////////////////////\
        /////////////////////////////////////////////////////////////////////////////xRQciAxMDsAAAAAZWeVmQ==
        """
    )

    /// The same in blocks that refer to the ones before, with checksums and the size of the content.
    static let lz4Linked = vector(
        """
        BCJNGFRArmcCAADzBXJlY29yZCAwIG9mIG9yZGVyIDA7FAAWMRQAFDEUABYyFAAUNBQAFjMUABQ5FAAWNBQAFDMUABc1UAAUMhUAFzYVAAV6\
        AB83FQABHzg/AAEfOWgAAC8xMJEAAC8xMboAAC8xMuMAAC8xMwwBAR80KgABHzVUAAEfNn4AAR83qAABD9IAAi8xOf0AAS8yMBYAAh8xQgAB\
        LzIybQAAHzKmAQEvMjTBAAAvMjX4AQEfNhUBAC8yNyoAAR84VAABHzl+AAAvMzCoAAAfM9MAAi8zMv8AAS8zMxYAAh80QgACHzVtAAEPrAEB\
        LzM35AIBHzjrAAAvMzkVAQAvNDAqAAAfNH4CAS80MjkDAR8zqAAAHzTTAAIvNDX/AAEfNFIDAi80N0IAAh84bQABD6wBAS81MMEAAB81IgQB\
        LzUyFQEALzUzKgABD34CAS81NX4AAR82TwQBD9MAAi81OP8AAR41VQMP9QT/////////////////////////////////////////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        /////////////////////////////////////////////////////////////////////+pQIG9yZGXEURemCgEAAA/1BP//////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        ////////////////////////////////////////////////////////////////////////////////////////////////////////////\
        ///oUCBvZiBv+zhBjV0AAAAP9QT/////////////////////////////////////////////////////////////////////////////////\
        /////////////////////////////xNQciAxMDv961xBAAAAAGVnlZk=
        """
    )

    private static func vector(_ base64: String) -> ByteBuffer {
        ByteBuffer(bytes: Data(base64Encoded: base64) ?? Data())
    }
}
