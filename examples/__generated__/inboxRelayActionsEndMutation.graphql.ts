/**
 * @generated SignedSource<<0c3685d6dc6d4d188609dbca57e190d8>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type EndConversationInput = {
  conversationId: string;
};
export type inboxRelayActionsEndMutation$variables = {
  input: EndConversationInput;
};
export type inboxRelayActionsEndMutation$data = {
  readonly endConversation: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsEndMutation = {
  response: inboxRelayActionsEndMutation$data;
  variables: inboxRelayActionsEndMutation$variables;
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
    "name": "endConversation",
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
    "name": "inboxRelayActionsEndMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsEndMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "516c8bd41fc54ca6c51a28ced6235013",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsEndMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsEndMutation(\n  $input: EndConversationInput!\n) {\n  endConversation(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "ffe454af4a4095818c2a91f1e3e50e24";

export default node;
