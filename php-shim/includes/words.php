<?php
/**
 * What states, steps, pauses and placeholders mean, in plain words, and the names of Tracker's fields; made from the engine's tables.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

defined('ABSPATH') || exit;

return [
    'states' => [
        'queued' => __('Waiting to be sent.', 'halt-tracker'),
        'held' => __('Held for review; nothing is sent until somebody releases it.', 'halt-tracker'),
        'sending' => __('Being sent right now.', 'halt-tracker'),
        'retry' => __('Waiting for the next try.', 'halt-tracker'),
        'checking' => __('Tracker is searched for the record before anything else is sent.', 'halt-tracker'),
        'attention' => __('A person must decide.', 'halt-tracker'),
        'failed' => __('Tracker refused it, or a week of trying was over; it can be sent again.', 'halt-tracker'),
        'done' => __('Delivered.', 'halt-tracker'),
        'discarded' => __('Discarded; it is not sent.', 'halt-tracker'),
        'erased' => __('Erased; only the id is left.', 'halt-tracker'),
    ],
    'step_states' => [
        'todo' => __('Not sent.', 'halt-tracker'),
        'intent' => __('About to be sent, or sent without an answer yet.', 'halt-tracker'),
        'applied' => __('Tracker applied it without naming the record.', 'halt-tracker'),
        'unknown' => __('Sent, and the answer was lost.', 'halt-tracker'),
        'done' => __('Done.', 'halt-tracker'),
        'rejected' => __('Refused by Tracker.', 'halt-tracker'),
        'skipped' => __('Not needed.', 'halt-tracker'),
    ],
    'pauses' => [
        'credentials' => __('Tracker does not accept the credentials.', 'halt-tracker'),
        'endpoint' => __('Tracker\'s address does not answer as it should.', 'halt-tracker'),
        'key' => __('The key that the data is sealed with is missing.', 'halt-tracker'),
        'site' => __('This site is a copy or not a live one.', 'halt-tracker'),
        'restored' => __('A backup seems to have been restored.', 'halt-tracker'),
        'by hand' => __('Paused by hand.', 'halt-tracker'),
    ],
    'step_kinds' => [
        'find' => __('Look for an existing record.', 'halt-tracker'),
        'contact' => __('Create the person of a lead.', 'halt-tracker'),
        'record' => __('Create the record.', 'halt-tracker'),
        'longlist' => __('Put the candidate on the job\'s long list.', 'halt-tracker'),
        'activity' => __('Log an activity.', 'halt-tracker'),
        'document' => __('Attach a file.', 'halt-tracker'),
    ],
    'placeholders' => [
        'form_id' => __('The form\'s id: its CSS ID where one is set.', 'halt-tracker'),
        'form_title' => __('The form\'s title.', 'halt-tracker'),
        'page_url' => __('The page that the form is on.', 'halt-tracker'),
        'timestamp' => __('When it was received, in the site\'s time zone.', 'halt-tracker'),
        'record.id' => __('Tracker\'s id of the record.', 'halt-tracker'),
        'fields.' => __('A field of the submission by its name.', 'halt-tracker'),
        'meta.' => __('Something around the submission, such as meta.utm_source.', 'halt-tracker'),
    ],
    'fields' => ['fullName', 'firstName', 'lastName', 'preferredName', 'displayAs', 'nickname', 'email', 'otherEmail', 'phone', 'mobile', 'homePhone', 'fax', 'jobTitle', 'company', 'address1', 'address2', 'city', 'state', 'zipCode', 'country', 'linkedIn', 'website', 'image', 'dateOfBirth', 'anniversary', 'spousesName', 'nationality', 'languages', 'education', 'employmentHistory', 'achievements', 'currentSituation', 'source', 'note', 'description', 'strategy', 'tagText', 'internalReference', 'leadName', 'leadPersonType', 'currencyCode', 'potentialValue', 'status', 'territory', 'department', 'client', 'role', 'contactType', 'currentClient', 'skills', 'quickSkills', 'sectors', 'rating', 'salary', 'currentSalaryNum', 'desiredSalary', 'desiredSalaryNum', 'availableForWork', 'availableFrom', 'noticePeriod', 'dateApplied', 'rightToRepresent', 'marketingPreference', 'emailOptIn', 'textOptIn', 'telephoneOptIn', 'workOptIn', 'additionalContactType', 'additionalContactValue', 'addressName', 'addressIsPrimary', 'manager', 'nissNumber', 'journeyTime', 'payRateNote', 'chargeRateNote', 'costCentreCode', 'bonuses', 'interviewResult', 'interviewNote', 'interviewedBy', 'createdBy', 'payrollNumber', 'agencyName', 'agencyType', 'agencyAccountRef', 'memberships', 'desiredPayRate', 'payRateNum', 'chargeRateNum', 'holidayEntitlement', 'holidayCarryOver', 'maximumCarryOver', 'contractStartDate', 'contractEndDate', 'taxApplicable', 'agencyAddressName', 'agencyAddress1', 'agencyAddress2', 'agencyCity', 'agencyState', 'agencyZipCode', 'agencyCountry', 'agencyAddressIsPrimary', 'bankName', 'sortCode', 'accountNumber', 'bankReference', 'office', 'businessUnit', 'isPrimary', 'assistant', 'referralFrom', 'jobId'],
];
