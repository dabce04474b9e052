// Sends a form of the fixture the way the page builder's script does, so that a person or a browser test can use it.
(function () {
  function fieldOf(form, originalId) {
    return form.querySelector('[data-original_id="' + originalId + '"]');
  }
  function isHidden(box, form) {
    return JSON.parse(box.getAttribute('data-conditional-logic') || '[]').some(function (rule) {
      return fieldOf(form, rule.field).value !== rule.value;
    });
  }
  function showAndHide(form) {
    form.querySelectorAll('[data-conditional-logic]').forEach(function (box) {
      box.style.display = isHidden(box, form) ? 'none' : '';
    });
  }
  function send(form) {
    var container = form.closest('.et_pb_contact_form_container');
    var path5 = container.getAttribute('data-fixture-path') === '5';
    var suffix = container.getAttribute(path5 ? 'data-form_unique_id' : 'data-form_unique_num');
    var list = [], hidden = [], listed = {};
    form.querySelectorAll('.et_pb_checkbox_handle').forEach(function (handle) {
      var ticked = Array.from(handle.parentNode.querySelectorAll('[type=checkbox]:checked'));
      handle.value = ticked.map(function (one) { return path5 ? encodeURIComponent(one.value) : one.value; }).join(path5 ? ',' : ', ');
    });
    var body = new URLSearchParams(new FormData(form));
    form.querySelectorAll('[data-original_id]').forEach(function (input) {
      var id = input.getAttribute('data-original_id');
      if (listed[input.name]) { return; }
      listed[input.name] = true;
      if (isHidden(input.closest('p'), form)) { hidden.push(id); return; }
      list.push({ field_id: input.name, original_id: id, required_mark: input.dataset.required_mark,
        field_type: input.dataset.field_type, field_label: input.dataset.label.replace(/"/g, '&quot;') });
    });
    body.append('et_pb_contact_email_fields_' + suffix, JSON.stringify(list));
    body.append('token', '');
    if (hidden.length) { body.append('et_pb_contact_email_hidden_fields_' + suffix, JSON.stringify(hidden)); }
    fetch(form.action, { method: 'POST', body: body, headers: { 'X-Requested-With': 'XMLHttpRequest' } })
      .then(function (answer) { return answer.text(); })
      .then(function (html) {
        var fresh = new DOMParser().parseFromString(html, 'text/html').getElementById(container.id);
        if (fresh) { container.innerHTML = fresh.innerHTML; }
        container.setAttribute('data-answered', 'yes');
        container.querySelectorAll('form').forEach(watch);
      });
  }
  function watch(form) {
    showAndHide(form);
    form.addEventListener('change', function () { showAndHide(form); });
    form.addEventListener('submit', function (event) { event.preventDefault(); send(form); });
  }
  document.querySelectorAll('form.et_pb_contact_form').forEach(watch);
})();
