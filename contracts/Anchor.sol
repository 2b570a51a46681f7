// SPDX-License-Identifier: Apache-2.0
pragma solidity >=0.8.11 <0.9.0;

/// Remembers the roots of logs that grow. It computes no hash of its own: a root is 32 bytes of
/// whatever the log hashes with, so it does the same on chains of either kind of cryptography.
contract Anchor {
    /// A log as it stood at one moment.
    struct Mark {
        uint64 size;
        uint64 height;
        bytes32 root;
        bytes32 blockId;
    }

    /// Who says which accounts may speak for a log.
    address public owner;
    /// Accounts that may speak for a log.
    mapping(bytes32 => mapping(address => bool)) public allowed;

    mapping(bytes32 => Mark) private newest;
    mapping(bytes32 => mapping(uint64 => bytes32)) private roots;

    event Allowed(bytes32 indexed origin, address indexed account, bool may);
    event Anchored(
        bytes32 indexed origin,
        uint64 indexed size,
        bytes32 root,
        uint64 height,
        bytes32 blockId,
        address account
    );

    /// Only the owner may say who is allowed.
    error NotOwner();
    /// This account does not speak for this log.
    error NotAllowed();
    /// Size and height must be larger than what is kept.
    error NotGrowing();
    /// Another root is kept for this size.
    error OtherRoot();
    /// The root of nothing is not kept.
    error Empty();

    constructor() {
        owner = msg.sender;
    }

    /// Lets an account speak for a log.
    function allow(bytes32 origin, address account) external {
        decide(origin, account, true);
    }

    /// Lets it speak no more.
    function forbid(bytes32 origin, address account) external {
        decide(origin, account, false);
    }

    function decide(bytes32 origin, address account, bool may) private {
        if (msg.sender != owner) revert NotOwner();
        allowed[origin][account] = may;
        emit Allowed(origin, account, may);
    }

    /// Keeps the root of a log. The same once more changes nothing.
    function anchor(bytes32 origin, uint64 size, bytes32 root, uint64 height, bytes32 blockId)
        external
    {
        if (!allowed[origin][msg.sender]) revert NotAllowed();
        if (size == 0 || root == 0) revert Empty();
        bytes32 kept = roots[origin][size];
        if (kept != 0) {
            if (kept != root) revert OtherRoot();
            return;
        }
        Mark storage last = newest[origin];
        if (size <= last.size || height <= last.height) revert NotGrowing();
        newest[origin] = Mark(size, height, root, blockId);
        roots[origin][size] = root;
        emit Anchored(origin, size, root, height, blockId, msg.sender);
    }

    /// The log as last anchored; all zero before the first time.
    function latest(bytes32 origin)
        external
        view
        returns (uint64 size, bytes32 root, uint64 height, bytes32 blockId)
    {
        Mark storage mark = newest[origin];
        return (mark.size, mark.root, mark.height, mark.blockId);
    }

    /// The root kept for a size; zero where none is.
    function rootAt(bytes32 origin, uint64 size) external view returns (bytes32) {
        return roots[origin][size];
    }
}
