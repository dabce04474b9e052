//! The rows of the table of error codes, in the order of their numbers.

use super::Entry;

codes! {
    EngineAbsent = 1001, "The engine is not running",
        "The PHP extension halt_tracker is not loaded in this PHP.",
        "Forms are kept, sealed, in the site's own database until the engine is back; webhooks are asked to repeat.",
        "Install or enable the extension; the Dashboard shows the exact file and line for this server.";
    EngineIncompatible = 1002, "Engine and plugin do not fit together",
        "The loaded extension speaks another major version than this plugin.",
        "Forms are kept, sealed, in the site's own database until both fit; webhooks are asked to repeat.",
        "Install the extension that belongs to this plugin version.";
    EngineOutdated = 1003, "The engine is older than the plugin",
        "The loaded extension works, but it is older than the plugin and lacks newer functions.",
        "Nothing is at risk: submissions are accepted and delivered.",
        "Update the extension when convenient.";
    EngineFault = 1004, "The engine met a fault of its own",
        "The engine stopped a call because of an unexpected fault.",
        "What was accepted before is stored; a form that arrived during the fault is kept in the site's own database.",
        "Try again; if it comes back, send this code and the time to support.";
    BadCall = 1005, "The plugin called the engine wrongly",
        "The plugin handed over something that the engine cannot read.",
        "Nothing was changed.",
        "Update plugin and extension to versions that belong together.";

    StoreNotWritable = 1101, "The data folder cannot be written",
        "The engine may not write in its data folder.",
        "What is stored stays; new forms are kept in the site's own database and taken over later.",
        "Give the web server's user write access to the folder that Site Health names.";
    StoreFull = 1102, "The disk is full",
        "There is no room left for the store.",
        "What is stored stays; new forms are kept in the site's own database if there is room.",
        "Free disk space; everything continues by itself afterwards.";
    StoreOwner = 1103, "The data folder belongs to another user",
        "This process runs as another system user than the owner of the data folder, so it opened nothing.",
        "Nothing was changed.",
        "Run the command as the owner of the folder (sudo -u), or correct the owner.";
    StoreBusy = 1104, "The store was busy",
        "Another process held the store for longer than a visitor may be made to wait.",
        "The form was kept in the site's own database and is taken over by the next run.",
        "Nothing to do. If it repeats, look for a backup tool that holds files of the data folder.";
    StoreForeign = 1105, "The store belongs to another site",
        "The data folder holds the store of another site, so nothing of it was used.",
        "Neither site's data was touched; forms are kept in this site's own database.",
        "Say on the Dashboard whether this is a copy of the other site, the same site after a move, or a site over whose database a copy's was put.";
    StoreMissing = 1106, "The store has disappeared",
        "This site has had a store, but the data folder holds none: it may be unmounted or was cleaned.",
        "Forms are kept in the site's own database; no empty store was put in its place.",
        "Bring the folder back, put a backup back with wp halt-tracker restore, or choose on the Dashboard to start a new one.";
    StoreNewer = 1107, "The store is from a newer engine",
        "A newer engine has written this store; this one does not touch it.",
        "Nothing was changed; forms are kept in the site's own database.",
        "Load the newer extension again.";
    StoreDamaged = 1108, "The store is damaged",
        "The database file failed its own consistency check.",
        "Nothing further was written; new forms are kept in the site's own database.",
        "Restore the latest backup with wp halt-tracker restore, and keep the damaged file.";
    StoreNetworkDisk = 1109, "The data folder is on a network disk",
        "The data folder lies on a network file system, where locks cannot be trusted.",
        "No store was opened there; forms are kept in the site's own database.",
        "Set HALT_TRACKER_DATA_DIR to a folder on a local disk. Where the data folder holds a store already, copy it there first.";
    StoreBasedir = 1110, "PHP may not use the data folder",
        "PHP's open_basedir setting does not include the data folder.",
        "Nothing was opened; forms are kept in the site's own database.",
        "Add the folder to open_basedir, or choose a folder inside it.";
    StoreIo = 1111, "Reading or writing the store failed",
        "The operating system reported an input or output error.",
        "What was acknowledged is stored; a form that met the error is kept in the site's own database.",
        "Check the disk and the system log of the server.";
    StoreRestored = 1112, "A backup seems to have been restored",
        "Store and site do not agree about the latest run, as after a restore of one of them.",
        "Nothing is sent until you confirm, because some of it may have been sent before.",
        "Confirm on the Dashboard; each unfinished submission is then looked up in Tracker before it is sent.";
    StoreMoved = 1113, "Files of the store were replaced",
        "A file of the store was replaced or deleted while it was in use.",
        "Sending stopped at once; forms are kept in the site's own database if the store cannot be opened again.",
        "Do not restore or move the data folder while the site is live; use wp halt-tracker restore.";
    StoreReadOnly = 1114, "The disk is read-only",
        "The file system of the data folder is mounted read-only.",
        "What is stored stays; new forms are kept in the site's own database and taken over later.",
        "Make the disk writable again; everything continues by itself afterwards.";
    StoreNone = 1115, "There is no store yet",
        "Nothing has been accepted on this site yet, so there is no store to read.",
        "Nothing is at risk.",
        "Submit a form, or save the credentials: the store is made at that moment.";
    StoreOpenFiles = 1116, "Too many files are open",
        "The process reached its limit of open files.",
        "What is stored stays; a form that met the limit is kept in the site's own database.",
        "Raise the limit of open files for PHP, or lower the number of workers.";

    WebhookRefused = 1201, "The webhook request could not be authenticated",
        "The timestamp or the signature of the request is missing, too old or wrong.",
        "Nothing was stored.",
        "Sign timestamp, a dot and the raw body with the shared secret; the Webhook tab shows the true reason and working examples.";
    WebhookNoSecret = 1202, "No webhook secret is set",
        "The site has no webhook shared secret, so no request can be accepted.",
        "Nothing was stored; the sender is asked to repeat later.",
        "Generate a shared secret on the Webhook tab.";
    WebhookTimestampMissing = 1203, "No timestamp",
        "The header X-Halt-Timestamp is missing.",
        "Nothing was stored.",
        "Send the current Unix time in seconds in X-Halt-Timestamp.";
    WebhookTimestampForm = 1204, "The timestamp is not Unix time in seconds",
        "X-Halt-Timestamp must be exactly ten digits.",
        "Nothing was stored.",
        "Send seconds, not milliseconds, and nothing around the digits.";
    WebhookTimestampOld = 1205, "The timestamp is too far from now",
        "The timestamp is more than 300 seconds away from this server's clock.",
        "Nothing was stored.",
        "Check both clocks, and sign each attempt anew.";
    WebhookSignatureMissing = 1206, "No signature",
        "The header X-Halt-Webhook-Signature is missing.",
        "Nothing was stored.",
        "Send the signature as the Webhook tab shows.";
    WebhookSignatureForm = 1207, "The signature is not 64 lower-case hex digits",
        "X-Halt-Webhook-Signature must be the HMAC-SHA256 in 64 lower-case hex digits and nothing else.",
        "Nothing was stored.",
        "Send hex, not base64, without a prefix.";
    WebhookSignatureWrong = 1208, "The signature does not match",
        "No active secret gives this signature for the received bytes.",
        "Nothing was stored.",
        "Sign the exact bytes that are sent: timestamp, a dot, body. Check that both sides use the same secret.";
    WebhookMethod = 1209, "The webhook takes POST only",
        "The request used another method than POST.",
        "Nothing was stored.",
        "Send a POST request.";
    WebhookContentType = 1210, "The webhook takes JSON only",
        "The Content-Type is not application/json, or the body is compressed.",
        "Nothing was stored.",
        "Send application/json in UTF-8, without Content-Encoding.";
    WebhookTooLarge = 1211, "The request is too large",
        "The body is larger than this site accepts.",
        "Nothing was stored.",
        "Send smaller files, or raise the limit on the Webhook tab.";
    WebhookJson = 1212, "The body is not strict JSON",
        "The body cannot be read as JSON; the message names the line and column.",
        "Nothing was stored.",
        "Correct the sender: UTF-8 without a byte order mark, no repeated keys.";
    WebhookSchema = 1213, "The body has not the documented shape",
        "A member is missing, unknown or of the wrong type; the message names it.",
        "Nothing was stored.",
        "Send form_id and fields, and optionally meta and files, as documented.";
    WebhookBase64 = 1214, "A file is not base64",
        "The content of a file is not valid base64; the message names the file's place in the list.",
        "Nothing was stored.",
        "Encode the file's bytes as standard base64.";
    WebhookUnavailable = 1215, "The webhook cannot accept at the moment",
        "The engine or its store is not available right now.",
        "Nothing was stored; the sender is asked to repeat after the time in Retry-After.",
        "See the Dashboard for what is wrong; a sender that repeats loses nothing.";

    KeyMissing = 1301, "The key file is gone",
        "The store is sealed with keys that are no longer there.",
        "Sealed rows stay untouched and wait; new submissions are sealed under a new key.",
        "Bring the key file back from your backup; Site Health names its place. If it is lost for good, a button of the Dashboard goes on without it.";
    KeyUnreadable = 1302, "The key file cannot be used",
        "The key file exists but cannot be read, or its content is not a key.",
        "Nothing was overwritten; forms are kept in the site's own database if its public key is known.",
        "Correct owner and permissions (0600), or bring the file back from your backup.";
    KeyUnknown = 1303, "A row is sealed under a missing key",
        "The data names a key that is not in the key ring.",
        "The row stays as it is and holds up nothing else.",
        "Bring the missing key file back from your backup. If it is lost for good, enter the credentials again, and discard or erase what does not open.";
    UnsealFailed = 1304, "Sealed data does not open",
        "The data was changed or belongs to another row.",
        "The row stays as it is and nothing of it was sent.",
        "Run wp halt-tracker doctor; restore a backup if files were changed.";
    KeyRandom = 1305, "The system gave no randomness",
        "The operating system refused to give random bytes.",
        "Nothing was written.",
        "Check the server: no program can work securely without them.";

    MapJson = 1401, "The JSON has a mistake",
        "The text is not valid JSON; the message names the line and column.",
        "What was saved before stays in force.",
        "Correct the marked place and save again.";
    MapField = 1402, "Tracker has no such field",
        "No record type in use has a field of this name; the message names the nearest one.",
        "What was saved before stays in force.",
        "Correct the name and save again.";
    MapShape = 1403, "The mapping has the wrong shape",
        "Keys must be Tracker's field names, values the names of incoming fields or constants that begin with a colon.",
        "What was saved before stays in force.",
        "Correct the marked entry and save again.";
    MapRequired = 1404, "A required field is missing",
        "The submission has no value for a field that the settings require.",
        "The submission is kept and looked at again every hour and whenever the mapping changes; nothing was sent.",
        "Correct the mapping or the required fields, or discard the submission.";
    MapConvert = 1405, "A value does not fit Tracker's field",
        "The value cannot be turned into the type that Tracker declares for the field.",
        "The submission is kept; nothing was sent.",
        "Map another field, or correct the form so that it asks for the right kind of value.";
    SettingInvalid = 1406, "A setting has a value that is not allowed",
        "The message names the setting and what it takes.",
        "What was saved before stays in force.",
        "Choose one of the allowed values.";
    SettingTemplate = 1407, "A template has an unknown placeholder",
        "The text names a placeholder that does not exist.",
        "What was saved before stays in force.",
        "Use one of the placeholders listed beside the field.";
    SecretWeak = 1408, "The shared secret is too weak",
        "A webhook secret must have at least 32 characters and not be a well-known word or pattern.",
        "The secret was not saved.",
        "Use Generate, or paste a longer random value.";
    SecretName = 1409, "There is no such secret",
        "No secret that the engine keeps has this name or number.",
        "Nothing was changed.",
        "Look at Settings, Webhook, or use a name or a webhook secret's number that wp halt-tracker secret list shows.";
    SecretCount = 1410, "Three webhook secrets are active already",
        "At most three webhook secrets can be active at the same time.",
        "The secret was not saved.",
        "Retire one that no sender uses any more.";

    TrackerUnreachable = 1501, "Tracker cannot be reached",
        "No connection to Tracker could be made, so nothing was sent.",
        "The submission waits and is tried again by itself.",
        "If it lasts, check the server's firewall, proxy and DNS.";
    TrackerAnswerLost = 1502, "Tracker's answer was lost",
        "The request was sent, but no complete answer came back, so nobody knows yet whether Tracker applied it.",
        "Nothing is sent again until it is known; the engine looks for the record in Tracker first.",
        "Nothing to do; it settles itself or asks you.";
    TrackerRejected = 1503, "Tracker refused the data",
        "Tracker answered that it does not accept the data; its own words are beside this code.",
        "The submission is kept and can be sent again after a correction.",
        "Correct the mapping or the data, then retry.";
    TrackerCredentials = 1504, "Tracker does not accept the credentials",
        "Tracker refuses the credentials of this site, so sending is paused.",
        "All submissions wait; no attempt is spent.",
        "Enter new credentials on the Connection tab; sending continues by itself.";
    TrackerNoCredentials = 1505, "No credentials are entered",
        "Client secret and refresh token, or an API token, are not set yet.",
        "All submissions wait; no attempt is spent.",
        "Enter the credentials on the Connection tab.";
    TrackerUser = 1506, "Tracker does not know the user or the user is not active",
        "The user behind the credentials was not found or is not active, so sending is paused.",
        "All submissions wait; no attempt is spent.",
        "Ask Tracker's support or your administrator to activate the user.";
    TrackerForbidden = 1507, "Tracker does not permit this",
        "The credentials work, but they may not do what this submission needs.",
        "The submission is kept and can be sent again.",
        "Give the Tracker user the missing permission, then retry.";
    TrackerEndpoint = 1508, "Tracker's address does not answer as it should",
        "Tracker answered a create request as if the address did not exist, so sending is paused.",
        "All submissions wait; no attempt is spent. One probe goes out every five minutes.",
        "Check environment and API on the Connection tab; if Tracker has a fault, wait.";
    TrackerTooMany = 1509, "Tracker asks for fewer requests",
        "Tracker's limit of requests a minute was reached.",
        "Everything waits a little and continues by itself.",
        "If it repeats, lower the pace on the Delivery tab: other programs use the same limit.";
    TrackerUnavailable = 1510, "Tracker is not available",
        "Tracker answered that it cannot serve at the moment.",
        "The submission waits and is tried again by itself.",
        "Nothing to do, unless it lasts.";
    TrackerUnreadable = 1511, "Tracker's answer could not be read",
        "The answer is not what Tracker documents, so nobody knows yet whether it applied the request.",
        "Nothing is sent again until it is known.",
        "Nothing to do; it settles itself or asks you.";
    TrackerProtected = 1512, "Tracker already has this person",
        "Tracker found an existing record and was told not to overwrite it.",
        "Nothing was changed in Tracker.",
        "If exactly one record matches, it is used; else look for the person in Tracker and enter the right id here.";
    TrackerNoId = 1513, "Tracker gave no id",
        "Tracker said that it applied the request but did not name the record.",
        "It is never sent again; the engine looks for the record.",
        "If it asks you, enter the record's id.";
    TrackerHost = 1514, "The address override is not allowed",
        "HALT_TRACKER_OAUTH_URL or HALT_TRACKER_API_URL must be https, or http to this very machine, without a user name.",
        "Nothing was sent.",
        "Correct the constant in wp-config.php.";
    TrackerBlocked = 1515, "WordPress blocks external requests",
        "WP_HTTP_BLOCK_EXTERNAL is on and Tracker's host is not in WP_ACCESSIBLE_HOSTS.",
        "All submissions wait; nothing was sent.",
        "Add *.tracker-rms.com to WP_ACCESSIBLE_HOSTS.";
    TrackerTls = 1516, "No secure connection to Tracker",
        "The certificate of the answering server was not accepted, or this site's CA file or proxy address cannot be used. Nothing was sent.",
        "What waits is tried again by itself.",
        "Check the server's CA certificates and the proxy's address, and set or correct HALT_TRACKER_CA_FILE.";

    RelayCrashes = 1601, "This submission stopped PHP three times",
        "Three runs ended abruptly while they worked on this submission, so it is left alone.",
        "The submission is kept.",
        "Look into PHP's error log, then retry.";
    RelaySeveral = 1602, "Several records match",
        "More than one record in Tracker matches this submission.",
        "Nothing more is sent and nothing is deleted.",
        "Enter the right id here; or merge them in Tracker and retry.";
    RelayUnsettled = 1603, "It could not be settled whether Tracker has the record",
        "An answer was lost and no reliable look into Tracker was possible.",
        "It is not sent again by itself, so there is no double.",
        "Look in Tracker, then choose: it exists, it is not there, or discard.";
    RelayResends = 1604, "Sent twice without an answer",
        "The request was repeated after it was proven absent, and the answer was lost again.",
        "It is not sent again by itself, so there is no double.",
        "Look in Tracker, then choose: it exists, it is not there, or discard.";
    RelayPartial = 1605, "The record is there, a part of it was refused",
        "Tracker has the record, but it refused an activity, a document or a list entry.",
        "The person is in Tracker; the submission is kept.",
        "Correct what the journal names, then retry: only the refused parts are sent.";
    RelayGaveUp = 1606, "Gave up after a week of trying",
        "All attempts are used, and it was tried for seven days.",
        "The submission is kept and can be sent again.",
        "Find out why from the journal, then retry.";
    RelayBusy = 1607, "A run is already in progress",
        "Another process is sending at this moment.",
        "Nothing is at risk: one run serves all submissions.",
        "Wait until it ends.";
    RelayHangs = 1608, "A run hangs",
        "A run has shown no sign of life for a long time, but its process still exists.",
        "Nobody sends beside it, so nothing can be doubled.",
        "End the named process on the server; the next run continues by itself.";
    RelaySamePerson = 1609, "Waits for an earlier submission of the same person",
        "An earlier submission of this person is not settled yet.",
        "It waits, so that the person is not created twice.",
        "Settle the earlier one; this one follows by itself.";
    RelayTenant = 1610, "The record belongs to other credentials",
        "The first part was sent under other credentials or to another host, and the record there is not the same person.",
        "Nothing more is sent.",
        "Enter the credentials of the right account and retry. If this account is right and does not have the person, say so: the submission is then sent to it.";
    RelayPaused = 1611, "Sending is paused by hand",
        "Somebody paused sending on this site.",
        "All submissions wait; no attempt is spent.",
        "Press Resume sending on the Dashboard.";
    RelayLateTwin = 1612, "A second record appeared later",
        "Tracker applied a request hours after its answer was lost, and there are two records now.",
        "Nothing was deleted.",
        "Merge the two records in Tracker; the journal names both ids.";
    RelaySite = 1613, "This site is a copy or not a live one",
        "The environment of this site is not production, so sending starts paused.",
        "All submissions wait; nothing is sent to Tracker.",
        "Press Resume sending on the Dashboard if this site really should send.";
    RelayWaiting = 1614, "Waits a little before the next try",
        "Tracker or the network had trouble lately, so nothing is sent for a moment.",
        "Everything continues by itself.",
        "Nothing to do.";
    RelayHeld = 1615, "Held for review",
        "The form is set to be reviewed before it is sent.",
        "The submission is kept; nothing was sent.",
        "Release or discard it in the Sync Log.";
    RelayOtherType = 1616, "Tracker holds this person as another kind of record",
        "Runs were missing for a while or a backup was put back, and the person was made in Tracker meanwhile as the kind of record that the form made before.",
        "Nothing was sent, so there is no double.",
        "Look at the record that the journal names. Discard the submission if it is already there; retry makes the other record as well.";
    RelayOtherPerson = 1617, "The record that was named is another person's",
        "The record with the id that was named is not in Tracker, or shows neither the e-mail address nor the mark of this submission.",
        "Nothing was sent to it.",
        "Name the right record. If it is this person all the same, as under another e-mail address, name the same id once more.";

    FileType = 1701, "This kind of file is not allowed",
        "The file's extension is not in the list of allowed kinds.",
        "The file is kept and can be downloaded; the application itself goes on.",
        "Allow the kind under Activities & files and retry, or attach the file by hand.";
    FileContent = 1702, "The file is not what its name says",
        "The content of the file does not agree with its extension.",
        "The file is kept and can be downloaded with care; the application itself goes on.",
        "Look at the file with care before you use it.";
    FileTooLarge = 1703, "The file is too large",
        "The file is larger than 10 MiB, or all files together are larger than 25 MiB.",
        "Only its name was kept; the application itself goes on.",
        "Ask the person for a smaller file.";
    FileTooMany = 1704, "Too many files",
        "A submission may carry five files.",
        "The names of the others were kept; the application itself goes on.",
        "Ask the person for the missing files.";
    FileArchive = 1705, "The file unpacks to something dangerous",
        "The archive inside the file has too many entries, unpacks too far, nests or points outside itself.",
        "The file is kept and can be downloaded with care; the application itself goes on.",
        "Do not open it unless you know where it comes from.";
    FileName = 1706, "The file name is not usable",
        "The name is empty, reserved or has more than one allowed extension.",
        "The file is kept under a safe name; the application itself goes on.",
        "Look at the file with care before you use it.";
    FileUpload = 1707, "The uploaded file was not taken",
        "The upload that the form names is not a plain, recent file in a known upload folder, or another submission took it.",
        "The application itself goes on without it.",
        "Ask the person for the file.";
    FileLost = 1708, "A stored file is missing or damaged",
        "A file of this submission can no longer be read from the data folder.",
        "The application itself goes on; the file is marked as refused.",
        "Restore the data folder from a backup, or ask the person for the file.";

    CaptureUnreadable = 1801, "A kept form cannot be opened",
        "A form that was kept in the site's own database cannot be opened with the present keys.",
        "The row stays and holds up nothing else.",
        "Bring the key file back that was in use at that time. If it is lost for good, discard the form on the Dashboard.";
    CaptureParts = 1802, "A kept form is incomplete",
        "Parts of a form that was kept in the site's own database are missing or changed.",
        "The row stays and holds up nothing else.",
        "Look into the database; restore its backup if rows were deleted. If there is none, discard the form on the Dashboard.";
    CaptureFailed = 1803, "A form could not be kept",
        "Neither the engine nor the site's own database could keep a form.",
        "That submission is lost unless the notification e-mail arrived.",
        "Repair the cause that the Dashboard and Site Health name, and look for the notification e-mail. Then say so on the Dashboard: I have dealt with it.";
    EarlierUnreadable = 1804, "A row of the earlier plugin cannot be read",
        "A submission in the earlier plugin's table is not what that plugin writes; the message says where.",
        "The row stays in that table and holds up nothing else.",
        "Look into the table halt_tracker_queue; enter the person by hand, then delete the row.";

    ActUnknown = 1901, "There is no such submission",
        "No submission has this id.",
        "Nothing was changed.",
        "Look it up in the Sync Log.";
    ActState = 1902, "The submission is not in a state for that",
        "The action does not fit the submission's present state.",
        "Nothing was changed.",
        "Reload the page: it has probably moved on.";
    ActName = 1903, "There is no such action",
        "The action's name or its arguments are not known.",
        "Nothing was changed.",
        "Correct what you typed; where nobody typed anything, update plugin and extension to versions that belong together.";
}
