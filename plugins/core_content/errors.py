"""Errors of core_content (spec: errors, §4)."""

from __future__ import annotations

from atrio.kernel.errors import KernelError
from atrio.kernel.errors import NoFileGiven as NoFileGiven


class ContentNotFound(KernelError):
    """No such content in this space, or a file without bytes."""

    code = 1003


class ParentNotFound(KernelError):
    """No such parent in this space."""

    code = 1004


class ContentTypeNotExist(KernelError):
    """No plugin has this content type."""

    code = 1006


class InvalidStatusChange(KernelError):
    """The content has this status already."""

    code = 2004


class ContentTypeMissing(KernelError):
    """A creation without content type."""

    code = 2014


class EmptyComment(KernelError):
    """A comment without anything to see."""

    code = 2003


class InvalidCommentId(KernelError):
    """The comment id in the path is no number."""

    code = 2024


class WorkspaceMissing(KernelError):
    """A move without the space to move to."""

    code = 2012


class WorkspacesDoNotMatch(KernelError):
    """The new parent lies in another space than the one named."""

    code = 2032


class TodoNotFound(KernelError):
    """The to-do was deleted before."""

    code = 1026


class MoveIntoItself(KernelError):
    """A content cannot be its own parent."""

    code = 3009


class MoveIntoChild(KernelError):
    """A content cannot move below itself."""

    code = 3010


class InvalidContentId(KernelError):
    """The content id in the path is no number."""

    code = 2023


class ContentTypeNotAllowed(KernelError):
    """The route is for another content type."""

    code = 2031


class UnallowedSubcontent(KernelError):
    """The parent folder does not take this type."""

    code = 2038


class SameValue(KernelError):
    """The update changes nothing."""

    code = 2041


class NotEditable(KernelError):
    """The content is closed, archived or deleted."""

    code = 2044


class NamespaceMismatch(KernelError):
    """The parent lies in another namespace."""

    code = 2060


class FeatureDisabled(KernelError):
    """The space has publications switched off."""

    code = 2072


class NameTaken(KernelError):
    """The folder holds a content of this name."""

    code = 3002


class FileTooLarge(KernelError):
    """The file is larger than the instance takes."""

    code = 6002


class SpaceFull(KernelError):
    """The file does not fit into what is left of the space."""

    code = 6003


class OwnerFull(KernelError):
    """The file does not fit into what is left of the space owner's quota."""

    code = 6004


class RevisionMismatch(KernelError):
    """The revision belongs to another content."""

    code = None
    status = 400


class OnlyRevision(KernelError):
    """The only revision of a content is not deleted; delete the content."""

    code = 20101
    status = 400


ERRORS = (
    OnlyRevision,
    ContentNotFound,
    ParentNotFound,
    ContentTypeNotExist,
    InvalidStatusChange,
    ContentTypeMissing,
    InvalidContentId,
    ContentTypeNotAllowed,
    UnallowedSubcontent,
    SameValue,
    NotEditable,
    NamespaceMismatch,
    FeatureDisabled,
    NameTaken,
    FileTooLarge,
    SpaceFull,
    OwnerFull,
    RevisionMismatch,
    EmptyComment,
    InvalidCommentId,
    WorkspaceMissing,
    WorkspacesDoNotMatch,
    TodoNotFound,
    MoveIntoItself,
    MoveIntoChild,
)
