"""Every error that Sartor raises on purpose, in one family.

    SartorError
    ├── SourceError
    │   ├── SourceNotFound
    │   ├── UnrecognizedSource
    │   ├── UnsafeArchive
    │   ├── UnreadableTable
    │   ├── UnsafePickle
    │   └── UnreadableVectors
    ├── PhotoRejected
    ├── ModelError
    │   ├── NoModel
    │   ├── ModelNotChosen
    │   ├── ModelNotFound
    │   ├── ModelExists
    │   ├── ModelBundled
    │   ├── ModelMismatch
    │   ├── ModelDamaged
    │   ├── ModelReplaced
    │   ├── UnusableModel
    │   ├── WeightsUnavailable
    │   ├── NoRegions
    │   ├── NoNetwork
    │   ├── VectorsDisagree
    │   ├── PromotionRefused
    │   ├── NothingToCompare
    │   └── NoPreviousModel
    ├── WorkspaceError
    │   ├── WorkspaceBusy
    │   ├── WorkspaceTooNew
    │   ├── WorkspaceUnusable
    │   └── BackupFailed
    ├── QueryError
    │   ├── EmptyCatalog
    │   ├── EmptyQuery
    │   ├── ProductNotFound
    │   ├── UnknownAttribute
    │   ├── UnknownValue
    │   ├── UnknownColor
    │   ├── BadDial
    │   ├── BadWeight
    │   ├── BadBox
    │   ├── NotInALook
    │   ├── PiecesClash
    │   ├── UnknownSlot
    │   ├── BadFilter
    │   ├── BadCursor
    │   ├── BadEvent
    │   ├── PersonNotFound
    │   └── VisitorTaken
    ├── TrainingError
    │   ├── UnusableRecipe
    │   ├── NothingToLearn
    │   ├── UnusableCheckpoint
    │   └── OutputTaken
    ├── ServiceError
    │   ├── NeedsKey
    │   ├── AddressTaken
    │   ├── KeyNotFound
    │   ├── ServiceUnreachable
    │   └── ServiceRefused
    ├── EvaluationError
    │   ├── NothingToEvaluate
    │   └── UnusableLabelMap
    ├── ExportError
    │   ├── ExportTaken
    │   ├── ExportMisnamed
    │   └── ExportFailed
    ├── MissingExtra
    └── DeviceUnavailable

Each class builds its own message: what went wrong, with which value, and what to do next.
"""

from __future__ import annotations

from sartor.errors.base import SartorError
from sartor.errors.evaluation import EvaluationError, NothingToEvaluate, UnusableLabelMap
from sartor.errors.exports import ExportError, ExportFailed, ExportMisnamed, ExportTaken
from sartor.errors.machine import DeviceUnavailable, MissingExtra
from sartor.errors.models import (
    ModelBundled,
    ModelDamaged,
    ModelError,
    ModelExists,
    ModelMismatch,
    ModelNotChosen,
    ModelNotFound,
    ModelReplaced,
    NoModel,
    NoNetwork,
    NoPreviousModel,
    NoRegions,
    NothingToCompare,
    PromotionRefused,
    UnusableModel,
    VectorsDisagree,
    WeightsUnavailable,
)
from sartor.errors.queries import (
    BadBox,
    BadCursor,
    BadDial,
    BadEvent,
    BadFilter,
    BadWeight,
    EmptyCatalog,
    EmptyQuery,
    NotInALook,
    PersonNotFound,
    PiecesClash,
    ProductNotFound,
    QueryError,
    UnknownAttribute,
    UnknownColor,
    UnknownSlot,
    UnknownValue,
    VisitorTaken,
)
from sartor.errors.service import (
    AddressTaken,
    KeyNotFound,
    NeedsKey,
    ServiceError,
    ServiceRefused,
    ServiceUnreachable,
)
from sartor.errors.sources import (
    PhotoRejected,
    SourceError,
    SourceNotFound,
    UnreadableTable,
    UnreadableVectors,
    UnrecognizedSource,
    UnsafeArchive,
    UnsafePickle,
)
from sartor.errors.training import NothingToLearn, OutputTaken, TrainingError, UnusableCheckpoint, UnusableRecipe
from sartor.errors.workspaces import (
    BackupFailed,
    WorkspaceBusy,
    WorkspaceError,
    WorkspaceTooNew,
    WorkspaceUnusable,
)

__all__ = [
    "AddressTaken",
    "BackupFailed",
    "BadBox",
    "BadCursor",
    "BadDial",
    "BadEvent",
    "BadFilter",
    "BadWeight",
    "DeviceUnavailable",
    "EmptyCatalog",
    "EmptyQuery",
    "EvaluationError",
    "ExportError",
    "ExportFailed",
    "ExportMisnamed",
    "ExportTaken",
    "KeyNotFound",
    "MissingExtra",
    "ModelBundled",
    "ModelDamaged",
    "ModelError",
    "ModelExists",
    "ModelMismatch",
    "ModelNotChosen",
    "ModelNotFound",
    "ModelReplaced",
    "NeedsKey",
    "NoModel",
    "NoNetwork",
    "NoPreviousModel",
    "NoRegions",
    "NotInALook",
    "NothingToCompare",
    "NothingToEvaluate",
    "NothingToLearn",
    "OutputTaken",
    "PersonNotFound",
    "PhotoRejected",
    "PiecesClash",
    "ProductNotFound",
    "PromotionRefused",
    "QueryError",
    "SartorError",
    "ServiceError",
    "ServiceRefused",
    "ServiceUnreachable",
    "SourceError",
    "SourceNotFound",
    "TrainingError",
    "UnknownAttribute",
    "UnknownColor",
    "UnknownSlot",
    "UnknownValue",
    "UnreadableTable",
    "UnreadableVectors",
    "UnrecognizedSource",
    "UnsafeArchive",
    "UnsafePickle",
    "UnusableCheckpoint",
    "UnusableLabelMap",
    "UnusableModel",
    "UnusableRecipe",
    "VectorsDisagree",
    "VisitorTaken",
    "WeightsUnavailable",
    "WorkspaceBusy",
    "WorkspaceError",
    "WorkspaceTooNew",
    "WorkspaceUnusable",
]
