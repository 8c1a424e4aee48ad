"""Every limit that a shopper, a developer or an operator can meet: name, value, what it bounds.

Nobody sets these; what can be set is in ``config.py``, and what the recommender is tuned by in
``recommend/weights.py``. ``docs/reference/settings.md`` has this table too.
"""

from __future__ import annotations

# Photos
MAX_PHOTO_BYTES = 64 << 20  # File of a photo in a source.
MAX_DECODED_BYTES = 100_000_000  # File of a photo that is decoded, wherever it comes from.
MAX_JPEG_PIXELS = 250_000_000  # Width times height of a JPEG, which is decoded at a fraction of its size.
MAX_PROGRESSIVE_PIXELS = 100_000_000  # Of a progressive JPEG, whose coefficients are all kept meanwhile.
MAX_PHOTO_PIXELS = 75_000_000  # Of other photos: 300 MB, at four bytes for a pixel.
MAX_HEIC_PIXELS = 50_000_000  # Of a HEIC photo: 400 MB, at eight bytes for a pixel while it is decoded.
MAX_WHOLE_PIXELS = 50_000_000  # Of a JPEG's picture as it is decoded; a larger one is decoded smaller.
MAX_PHOTO_SIDE_PX = 30_000  # Width of a photo, and its height.
MAX_JPEG_SCANS = 100  # Passes over a progressive JPEG; encoders write about ten.
MAX_PROFILE_BYTES = 4 << 20  # Color profile of a photo; a larger one does not count.
MAX_FETCHED_BYTES = 64_000_000  # File of a photo that is fetched by URL.
FETCH_TIMEOUT_S = 10.0  # Seconds for fetching a photo, from looking up the name to the last byte.
FETCHES_AT_ONCE = 16  # Photos that an ingest fetches by URL at the same time.
FETCHES_PER_HOST = 4  # Of these, from one host.
FETCH_TRIES = (
    5  # Tries for a photo whose server does not answer, or answers 429 or 5xx; waits of 1, 2, 4, 8 s between.
)
MAX_RETRY_AFTER_S = (
    300.0  # Seconds that an ingest waits where a server asks for it; after longer ones, another run.
)
MAX_FAILED_FETCHES = 20  # Photos of a host in a row that cannot be had; then it is asked for no more in that run.
FETCHED_RUN_S = 21_600.0  # Seconds in which a run that was stopped goes on without asking for its photos again.
MIN_SAID_PROBABILITY = 0.5  # Probability from which a prediction is said, filtered by and counted.
THUMBNAIL_PX = 640  # Width and height of a photo as the workspace keeps it.

# Sources
MAX_ZIP_ENTRIES = 500_000  # Files and folders in a ZIP archive.
MAX_ZIP_BYTES = 64 << 30  # All files of a ZIP archive, uncompressed.
MAX_ZIP_ENTRY_BYTES = 4 << 30  # One file of a ZIP archive, uncompressed.
MAX_ZIP_RATIO = 200.0  # Uncompressed to compressed size of a file over 1 MiB in a ZIP archive.
MAX_LINE_BYTES = 16 << 20  # A line of a table.
MAX_DOCUMENT_BYTES = 256 << 20  # A JSON document or a saved page; JSON Lines and tables may be of any size.
MAX_LINES_PER_ROW = 1_000  # Lines of one row of a CSV file.
MAX_FEED_ITEM_BYTES = 16 << 20  # An item of a Merchant feed.
MAX_FEED_DEPTH = 100  # Elements inside each other in a Merchant feed.
MAX_PHOTO_NAME_CHARS = 2_000  # Name or URL of a photo in a table or a list of names.
MAX_TABLE_CANDIDATES = 200  # Files of a folder that are looked at as its table.
MAX_LISTED_REJECTIONS = 20  # Rejected lines of an event file that a report lists.
MAX_FILTERED_TEXT_CHARS = 256  # Text of an attribute that can be filtered by; a longer one is only searched.
MAX_PARQUET_RATIO = 100  # Uncompressed to compressed size of the vectors in a Parquet file.

UNUSED_COPY_AGE_S = (
    86_400.0  # Seconds that the copy of a source in a bucket stays after a use if no product came from it.
)

# Pickles of vectors
MAX_PICKLE_DEPTH = 4  # Lists inside each other.
MAX_PICKLE_AXES = 8  # Axes of an array.
MAX_PICKLE_STACK = 4_000_000  # Values that wait to be put into a list or a tuple, such as the names of all photos.
MAX_PICKLE_EMPTY_LISTS = 8  # Lists that are still empty; a pickler fills one before it begins another.
MAX_PICKLE_MARKS = 64  # Lists and tuples that are begun and not yet ended.
MAX_PICKLE_INTEGER_BYTES = 16  # An integer.
MAX_PICKLE_LINE_BYTES = 256  # A number or a global that is written as text.
MAX_PICKLE_GLOBAL_CHARS = 256  # Name of a global.

# Recommendations
MAX_LEARNED_EVENTS = 5_000_000  # Events that recommendations learn from, the latest.
MAX_VARIED_CANDIDATES = 1_000  # Candidates for a varied list; each is compared with all others.
MAX_CACHED_CANDIDATES = 50_000  # Products kept in memory for feeds: 100 MB with the bundled model.
MAX_KNOWN_VALUES = 5_000  # Values of an attribute; where there are more, no filter is called unknown.

# Events
MAX_ID_BYTES = 256  # Id of an event, a user or a visitor.
MAX_PRODUCT_ID_BYTES = 512  # Id of a product.
MAX_LINK_CHARS = 128  # Id of a recommendation or a basket.
MAX_QUERY_CHARS = 500  # Words that somebody searched for.
MAX_EVENT_COUNT = 10_000  # Quantity of a purchase, and position in a list.

# Processes of one workspace
STORE_WAIT_S = 10.0  # Seconds that a write waits for another process's.
REPLICA_WAIT_S = 5.0  # Seconds that a process waits for a copy of another one's index before it builds its own.
MAX_COPIES_SHARE = 0.25  # Of the memory, for the copies of the index of all workers; beyond, they share one.
INDEXER_LEASE_S = 15.0  # Seconds after which another process writes the shared index, if its indexer is silent.
INDEXER_WAIT_S = 60.0  # Seconds that `sartor index` waits for another process that writes the shared index.
LEARNING_LEASE_S = 120.0  # Seconds after which another process learns from events, if the one that does is silent.
TOMBSTONE_AGE_S = (
    86_400.0  # Seconds that a shared index remembers a deleted product, against writes that come late.
)
FOLLOW_S = 0.05  # Seconds between two looks at whether another process has written.
SERVER_CALL_S = 10.0  # Seconds that a database or a bucket has for a call or a transaction, repetitions included.
SERVER_CONNECT_S = 3.0  # Seconds in which a database or a bucket has to answer at first.
SERVER_FILE_S = 600.0  # Seconds that a database server has for a file of a model, or for a new index.
SERVER_POLL_S = 1.0  # Seconds between two looks at a database server, besides those that it asks for.
CLUSTER_CONNECT_S = 5.0  # Seconds in which the client server of a Ray cluster has to answer.
CLUSTER_START_S = 90.0  # Seconds for connecting to a Ray cluster, or starting one.
CLUSTER_WAIT_S = 60.0  # Seconds that an ingest waits for a worker of a Ray cluster while it has none.
CLUSTER_ATTEMPTS = 3  # Workers of a Ray cluster that may be lost over the same photos.
UNUSED_PHOTO_AGE_S = 3_600.0  # Seconds before a file that belongs to no photo is deleted; its writer may be slow.

UNFINISHED_UPLOAD_AGE_S = 86_400.0  # Seconds before the parts of an upload to a bucket that broke off are deleted.

# Requests to the service
MAX_K = 200  # Products in an answer.
MAX_ITEMS = 100  # Products in a batch.
MAX_EVENTS = 1_000  # Events in a request.
MAX_WINDOW_DAYS = 90  # How far back trending looks.
MAX_QUERY_PARTS = 50  # Products in a query, and photos.
MAX_OPINIONS = 200  # Liked products in a query, and disliked ones.
MAX_EXCLUDED = 1_000  # Products that a query leaves out.
MAX_FACETS = 30  # Attributes whose values are counted.
MAX_FILTERS = 50  # Filters in a request.
MAX_FILTER_CHARS = 3_000  # Characters of a filter.
MAX_GARMENTS = 8  # Garments found in a photo.
MAX_SLOTS = 20  # Slots of a look, and alternatives for each.
MAX_NAME_CHARS = 200  # Name of an attribute or a slot.
MAX_ATTRIBUTES = 200  # Attributes of a product.
MAX_TITLE_CHARS = 2_000  # Title of a product.
MAX_PRODUCT_PHOTOS = 20  # Photos of a product that is written.
MAX_URL_CHARS = 2_048  # URL of a photo.
REVISION_WAIT_S = 1.0  # Seconds that a read waits until its process has followed to the revision that it names.
RATES_CALL_S = 0.25  # Seconds in which a server that counts requests for several hosts has to answer.
RATES_AWAY_S = 5.0  # Seconds that a host counts alone after that server has not.
QUEUE_S = 0.1  # Seconds that a request of the API may have to wait for others; a longer queue refuses it at once.
MAX_IMPORT_BYTES = 2 << 30  # A feed that is imported, with its photos.
IMPORT_RECEIVE_S = 1_800.0  # Seconds in which a feed has to arrive.
MAX_IMPORT_ERRORS = 10_000  # Lines of the list of errors of an import; further ones are only counted.
MAX_IMPORTS = 20  # Imports that are remembered, the latest.
IMPORT_LEASE_S = 30.0  # Seconds after which an import whose process is silent counts as interrupted.
IMPORT_BEAT_S = 1.0  # Seconds between two looks at whether an import is cancelled, and its word of how far it is.
DRY_RUN_WAIT_S = 15.0  # Seconds that a dry run of an import is waited for; then its address is the answer.
KEYS_CACHED_S = 5.0  # Seconds after which a new or deleted API key counts.
DRAIN_S = 20  # Seconds that requests have to end in when the service stops.
BACKLOG = 512  # Connections that wait to be accepted.

# Pages of the storefront
CATALOG_PAGE = 24  # Products of a page of the catalog.
RESULTS_PAGE = 12  # Results at first, and more each time.
MAX_RESULTS = 96  # Results of a search.
COUNTED_RESULTS = 48  # Closest products of a search that its filters count, if no more of them are shown.
MAX_SEARCH_PHOTOS = 8  # Photos in a search.
MAX_SEARCH_PRODUCTS = 50  # Products in a search.
MAX_TEXT_CHARS = 512  # Words of a search.
MAX_DISMISSED = 60  # Products on the page of what is not for a shopper.
ROW_PRODUCTS = 10  # Products of a row, such as those bought together.
RECENT_PRODUCTS = 8  # Products of the row of those viewed last.
MAX_VARIANTS = 12  # Variants of a product, such as its other colors.
MAX_FORM_FIELDS = 8  # Fields of a form without photos.
MAX_FORM_FILES = 64  # Files, and fields, of a form with photos; more is called a broken form.
MAX_FORM_ID_CHARS = 2_048  # Id of a product in a form.
MAX_RETURN_PATH_CHARS = 4_096  # Address that a form leads back to.
MAX_FACET_VALUES = 60  # Values of a filter.
UPLOAD_AGE_S = 86_400.0  # Seconds that an uploaded photo is kept.
MAX_KEPT_SIDE_PX = 2_048  # Width and height of an uploaded photo that is no JPEG, as it is searched with.
MAX_UPLOADS = 500  # Uploaded photos that are kept.
COOKIE_AGE_S = 390 * 86_400  # Seconds that a visitor is remembered: 13 months.

# The studio
MAX_STUDIO_UPLOAD_MB = 2_048  # An uploaded source, such as the ZIP of a catalog.
MAX_STUDIO_PHOTO_MB = 50  # An uploaded photo.
MAX_STUDIO_LISTED = 60  # Products that a search for words lists.
MAX_STUDIO_K = 48  # Results of a search.
STUDIO_PORT = 8501  # Port that the studio takes by default.
STUDIO_TIMEOUT_S = 30  # Seconds that a service has to answer the studio in.
