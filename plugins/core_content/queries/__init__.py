"""Reads of core_content. Statements are built once; the few shapes of a list are kept by shape."""

from .columns import VISIBLE
from .comments import COMMENT_DETAIL, FIRST_COMMENT, comments_statement
from .comments import place as comment_place
from .content import (
    CHILD,
    PARENT,
    TREE_LEVEL,
    bytes_in,
    digest_query,
    digest_statement,
    lock,
    one,
    said,
    shown,
    text_of,
)
from .drive import LISTED, STEPS, path_query, path_statement, tree_query, twins, with_steps
from .lists import ListShape, contains, known, list_statement, templates_statement
from .reading import read_flags, read_flags_of_space
from .revisions import ONE_REVISION, authored_revisions, authored_spaces, revisions_statement
from .todos import TODO_DETAIL, TODOS_OF_CONTENT, TODOS_OF_USER
from .tree import KNOWN_LABELS, LOCATE, WAY, ancestors, below

__all__ = [
    "CHILD",
    "COMMENT_DETAIL",
    "FIRST_COMMENT",
    "KNOWN_LABELS",
    "LISTED",
    "LOCATE",
    "ONE_REVISION",
    "PARENT",
    "STEPS",
    "TODOS_OF_CONTENT",
    "TODOS_OF_USER",
    "TODO_DETAIL",
    "TREE_LEVEL",
    "VISIBLE",
    "WAY",
    "ListShape",
    "ancestors",
    "authored_revisions",
    "authored_spaces",
    "below",
    "bytes_in",
    "comment_place",
    "comments_statement",
    "contains",
    "digest_query",
    "digest_statement",
    "known",
    "list_statement",
    "lock",
    "one",
    "path_query",
    "path_statement",
    "read_flags",
    "read_flags_of_space",
    "revisions_statement",
    "said",
    "shown",
    "templates_statement",
    "text_of",
    "tree_query",
    "twins",
    "with_steps",
]
