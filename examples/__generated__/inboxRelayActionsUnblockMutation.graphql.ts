/**
 * @generated SignedSource<<db5bf1db115f4595efee13b8dd38da41>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type UnblockContactInput = {
  channelId?: string | null;
  contactChannelId?: string | null;
  contactId: string;
  notes?: string | null;
};
export type inboxRelayActionsUnblockMutation$variables = {
  input: UnblockContactInput;
};
export type inboxRelayActionsUnblockMutation$data = {
  readonly unblockContact: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsUnblockMutation = {
  response: inboxRelayActionsUnblockMutation$data;
  variables: inboxRelayActionsUnblockMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "input",
        "variableName": "input"
      }
    ],
    "concreteType": null,
    "kind": "LinkedField",
    "name": "unblockContact",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "__typename",
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "inboxRelayActionsUnblockMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsUnblockMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "fd417142874afa2d5195092b9ef31368",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsUnblockMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsUnblockMutation(\n  $input: UnblockContactInput!\n) {\n  unblockContact(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "9e8cb5b3d21064dee9f7d8c4c199cde3";

export default node;
