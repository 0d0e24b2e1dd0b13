// What is wrong with a label selector, in Kubernetes' words
// (k8s.io/apimachinery/pkg/apis/meta/v1/validation).

import type { LabelSelector } from '../../meta.ts';
import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkLabels } from '../metadata.ts';
import { checkName, labelKey, labelValue } from '../names.ts';

export function checkLabelSelector(
  selector: LabelSelector | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (selector === undefined) return;
  checkLabels(selector.matchLabels, `${path}.matchLabels`, errors);
  for (const [i, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${i}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        const detail = "must be specified when `operator` is 'In' or 'NotIn'";
        errors.push(fieldError.required(`${at}.values`, detail));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(fieldError.forbidden(`${at}.values`, detail));
      }
    } else {
      errors.push(fieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    checkName(labelKey, key, `${at}.key`, errors);
    for (const [j, value] of values.entries()) {
      checkName(labelValue, value, `${at}.values[${j}]`, errors);
    }
  }
}

/** True when a selector can be evaluated at all. */
export function isUsable(selector: LabelSelector): boolean {
  const errors: FieldError[] = [];
  checkLabelSelector(selector, '', errors);
  return errors.length === 0;
}
