/* Makes three things quicker: copying an id, adding a row to a mapping, and watching a run; and asks before what cannot be
   undone. Without it all of them work by marking text, by saving, and by pressing the button again, unasked. */
(function () {
	'use strict';

	/* Asking first */
	document.querySelectorAll('form[data-halt-ask]').forEach(function (form) {
		form.addEventListener('submit', function (event) {
			if (!window.confirm(form.dataset.haltAsk)) {
				event.preventDefault();
			}
		});
	});

	/* Copy */
	document.querySelectorAll('[data-halt-copy]').forEach(function (button) {
		if (!navigator.clipboard) {
			return;
		}
		button.hidden = false;
		button.addEventListener('click', function () {
			navigator.clipboard.writeText(button.dataset.haltCopy).then(function () {
				var label = button.textContent;
				button.textContent = button.dataset.copied;
				window.wp && window.wp.a11y && window.wp.a11y.speak(button.dataset.copied);
				window.setTimeout(function () { button.textContent = label; }, 2000);
			});
		});
	});

	/* Mapping rows */
	document.querySelectorAll('[data-halt-map]').forEach(function (box) {
		var body = box.querySelector('tbody');
		var spare = Array.prototype.slice.call(body.querySelectorAll('tr.halt-spare'));
		var blank = spare[0];
		var next = body.rows.length;
		var add = document.createElement('button');
		if (!blank) {
			return;
		}
		blank = blank.cloneNode(true);
		spare.forEach(function (row) { row.remove(); });
		function removable(row) {
			var button = document.createElement('button');
			var field = row.querySelector('input');
			button.type = 'button';
			button.className = 'button-link halt-remove';
			button.textContent = box.dataset.remove;
			button.setAttribute('aria-label', box.dataset.remove + ': ' + (field.value || field.getAttribute('aria-label')));
			button.addEventListener('click', function () {
				var near = row.nextElementSibling || row.previousElementSibling;
				row.remove();
				(near ? near.querySelector('input') : add).focus();
			});
			row.lastElementChild.firstElementChild.appendChild(button);
		}
		Array.prototype.forEach.call(body.rows, removable);
		add.type = 'button';
		add.className = 'button';
		add.textContent = box.dataset.add;
		add.addEventListener('click', function () {
			var row = blank.cloneNode(true);
			row.querySelectorAll('input, select').forEach(function (input) {
				var label = input.getAttribute('aria-label');
				input.name = input.name.replace(/\[\d+\](\[\w+\])$/, '[' + next + ']$1');
				input.id = input.id.replace(/-\d+-(\w+)$/, '-' + next + '-$1');
				input.setAttribute('aria-label', label.replace(/\d+$/, String(next + 1)));
			});
			next += 1;
			body.appendChild(row);
			removable(row);
			row.querySelector('input').focus();
		});
		box.appendChild(add);
	});

	/* Run now: short requests one after the other, so that the number is seen going down. */
	document.querySelectorAll('form[data-halt-run]').forEach(function (form) {
		form.addEventListener('submit', function (event) {
			var button = form.querySelector('button');
			var says = document.getElementById('halt-run-says');
			var done = 0;
			if (!window.fetch || !says) {
				return;
			}
			event.preventDefault();
			button.disabled = true;
			says.textContent = form.dataset.busy;
			function turn(before) {
				var url = form.dataset.haltRun;
				url += (url.indexOf('?') < 0 ? '?' : '&') + 'budget_ms=4000';
				window.fetch(url, { method: 'POST', credentials: 'same-origin', headers: { 'X-WP-Nonce': form.dataset.nonce } })
					.then(function (answer) { return answer.ok ? answer.json() : Promise.reject(answer); })
					.then(function (report) {
						done += report.items.filter(function (item) { return item.state === 'done'; }).length;
						says.textContent = form.dataset.progress.replace('%1$s', String(done)).replace('%2$s', String(report.left));
						if (report.outcome === 'ran' && report.left > 0 && report.items.length > 0 && before < 60) {
							turn(before + 1);
						} else {
							window.location.reload();
						}
					})
					/* What the script cannot show, the page can. */
					.catch(function () { form.submit(); });
			}
			turn(0);
		});
	});
}());
